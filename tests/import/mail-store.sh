#!/bin/sh
# Moves the mail store of a Linux server to a new disk.
set -eu
OLD=/srv/mail
NEW="/mnt/new disk/mail"
COMMON="-aH --numeric-ids"

# While people work
nice -n 19 rsync $COMMON --exclude=tmp/ --exclude='*.lock' "$OLD/" "$NEW/" --info=progress2
rclone copy "$OLD/attachments" "$NEW/attachments" --filter '- index*' --filter '+ *.dat' --filter '- **' --min-age 1d --transfers 4

read -p "Is nobody at work any more? " answer
systemctl stop dovecot postfix && sleep 5
rsync $COMMON --delete --exclude=tmp/ --exclude='*.lock' \
      "$OLD/" "$NEW/"
rsync -avn --delete "$OLD/" "$NEW/" | tee /tmp/what-would-be-done
if ! rsync -a --checksum "$OLD/" "$NEW/"; then
  echo "failed" | mail -s failed it@example.com
  exit 1
fi
mount --bind "$NEW" "$OLD"
systemctl start postfix dovecot
rsync -az "$NEW/" backup@vault:/mail/
rclone sync "$NEW" s3:bucket/mail --s3-secret-access-key 0123456789abcdef
