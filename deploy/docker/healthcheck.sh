#!/bin/bash
# Asks the program's /healthz whether it works. No tool for HTTP has to be in the image: bash opens the
# connection. With SPARK_UI_PORT=0 there is nobody to ask, and that the container runs is all there is.
set -u
port=${SPARK_UI_PORT:-4040}
[ "$port" = 0 ] && exit 0
exec 3<>"/dev/tcp/127.0.0.1/$port" || exit 1
printf 'GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >&3
read -r -t 4 _ status _ <&3
[ "$status" = 200 ]
