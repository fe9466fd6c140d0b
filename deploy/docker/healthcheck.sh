#!/bin/bash
# Requests the program's /healthz. bash opens the connection, so the image needs no HTTP client. With
# SPARK_UI_PORT=0 there is no HTTP server; a running container then counts as healthy.
set -u
port=${SPARK_UI_PORT:-4040}
[ "$port" = 0 ] && exit 0
exec 3<>"/dev/tcp/127.0.0.1/$port" || exit 1
printf 'GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >&3
read -r -t 4 _ status _ <&3
[ "$status" = 200 ]
