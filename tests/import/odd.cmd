@echo off
setlocal enabledelayedexpansion
rem ==================================================
rem Grown over the years; nobody dares to touch it.
rem ==================================================
set SRC=%1
set DST=D:\{{neu}}\Büro
set PASSWORD=hunter22
net use Z: \\fileserver\backup %PASSWORD% /user:acme\backup
net use Y: \\fileserver\other hunter23 /user:acme\backup

if not "%1"=="" goto go
echo usage: odd.cmd FOLDER
goto :eof
:go
if not exist %DST% (
  md %DST%
  set DST=E:\Elsewhere
)
for %%d in (a b c) do robocopy %SRC%\%%d %DST%\%%d /mir
robocopy %SRC% D:\Data /e /xo /r:1 /w:1
robocopy %SRC% D:\ Data /e
robocopy "C:\Data\" D:\Data /e
robocopy %SRC% D:\Data %FILES% /e
robocopy %SRC% D:\Data /mir /l /log:C:\would.txt
start "" /wait /low robocopy %SRC% D:\Data /e /zb /fft /r:1 /w:1 /mt:16 /log:C:\l.txt /tee > nul 2>&1
if %errorlevel% geq 8 goto fail
robocopy %SRC% D:\Data /mir /r:1 /w:1 || echo failed
ping -n 11 127.0.0.1 > nul
echo y|net stop Spooler
sc \\printserver stop Spooler
xcopy %SRC%\last D:\Data\last /s /y & timeout /t 5 /nobreak & net start Spooler
call :report
exit /b 0

:fail
net start Spooler
:report
echo done
