@echo off
rem The published procedure, as a batch file. Run it on the new machine.
set OLD=\\oldserver\c$\MailArchive
set NEW=D:\MailArchive

rem The containers with the messages, while the server runs.
robocopy %OLD% %NEW% *.dat /xf index* /s /r:2 /w:2 /minage:1
rem All else that is a day old, but no database.
robocopy %OLD% %NEW% /xf *.fdb /s /r:2 /w:2 /minage:1

echo Switch the Storage Location from "Archive here" to "Normal".
pause
robocopy %OLD% %NEW% /xf *.fdb /s /r:2 /w:2

echo The users are told, and the service is stopped on both machines now.
pause
net stop "MailStore Server"
rem Again until it is clean.
robocopy %OLD% %NEW% /e /purge /r:2 /w:2
robocopy %OLD% %NEW% /e /purge /r:2 /w:2
net start "MailStore Server"
