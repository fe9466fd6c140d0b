# The Debian package: what `make package` puts into build/package/. Its files are a component of their
# own, so that `make install` leaves /etc and the service manager alone.
set(here ${PROJECT_SOURCE_DIR}/deploy/debian)
set(made ${PROJECT_BINARY_DIR}/debian)
file(MAKE_DIRECTORY ${made}/completions)
file(STRINGS ${here}/changelog newest LIMIT_COUNT 1)
if(NOT newest MATCHES "^esports-stream \\(${PROJECT_VERSION}\\)")
  message(FATAL_ERROR "deploy/debian/changelog does not begin with version ${PROJECT_VERSION}")
endif()
# -n: the same bytes whenever it is built.
execute_process(COMMAND gzip -9nc ${here}/changelog OUTPUT_FILE ${made}/changelog.gz
  COMMAND_ERROR_IS_FATAL ANY)

set(package COMPONENT package EXCLUDE_FROM_ALL)
set(docdir share/doc/esports-stream)
# Below /usr, except on Debian 12, whose rule was /lib.
set(units /usr/lib/systemd/system)
if(EXISTS /etc/os-release)
  file(STRINGS /etc/os-release version REGEX "^VERSION_ID=\"?12\"?$")
  if(version)
    set(units /lib/systemd/system)
  endif()
endif()
install(FILES deploy/systemd/esports-stream.service DESTINATION ${units} ${package})
install(FILES deploy/systemd/esports-stream.env DESTINATION /etc/esports-stream ${package}
  PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ)
# Documents lie as in the source, so that their links work. Rules, dashboard and chart are read by
# other programs, which must not need share/doc: the documents have a link to them.
install(FILES ${made}/changelog.gz ${here}/copyright README.md ARCHITECTURE.md CHANGELOG.md CONTRIBUTING.md
  LICENSE NOTICE SECURITY.md DESTINATION ${docdir} ${package})
install(DIRECTORY docs DESTINATION ${docdir} ${package}
  FILES_MATCHING PATTERN *.md PATTERN *.png PATTERN *.svg)
install(DIRECTORY queries DESTINATION ${docdir} ${package} FILES_MATCHING PATTERN *.sql)
install(DIRECTORY bench/results DESTINATION ${docdir}/bench ${package} FILES_MATCHING PATTERN *.md)
install(DIRECTORY deploy/prometheus deploy/grafana deploy/helm DESTINATION share/esports-stream ${package})
file(CREATE_LINK ../../esports-stream ${made}/deploy SYMBOLIC)
install(FILES ${made}/deploy DESTINATION ${docdir} ${package})
# The manual page, under the program's other names, too; `make install` puts it there as well.
execute_process(COMMAND gzip -9nc ${PROJECT_SOURCE_DIR}/docs/esports-stream.1
  OUTPUT_FILE ${made}/esports-stream.1.gz COMMAND_ERROR_IS_FATAL ANY)
install(FILES ${made}/esports-stream.1.gz DESTINATION share/man/man1)
foreach(name match_stream player_stream)
  file(CREATE_LINK esports-stream.1.gz ${made}/${name}.1.gz SYMBOLIC)
  install(FILES ${made}/${name}.1.gz DESTINATION share/man/man1)
endforeach()
# Completions, printed by the program itself, for where it is installed.
install(CODE "execute_process(COMMAND ${PROJECT_SOURCE_DIR}/scripts/print-completions.sh ${made} \${CMAKE_INSTALL_PREFIX}
  ${CMAKE_CROSSCOMPILING_EMULATOR} ${PROJECT_BINARY_DIR}/esports-stream COMMAND_ERROR_IS_FATAL ANY)")
install(FILES ${made}/completion.bash DESTINATION share/bash-completion/completions RENAME esports-stream)
install(FILES ${made}/completion.zsh DESTINATION share/zsh/vendor-completions RENAME _esports-stream)
install(FILES ${made}/completion.fish DESTINATION share/fish/vendor_completions.d RENAME esports-stream.fish)
foreach(name match_stream player_stream)
  file(CREATE_LINK esports-stream ${made}/completions/${name} SYMBOLIC)
  file(CREATE_LINK esports-stream.fish ${made}/completions/${name}.fish SYMBOLIC)
  install(FILES ${made}/completions/${name} DESTINATION share/bash-completion/completions)
  install(FILES ${made}/completions/${name}.fish DESTINATION share/fish/vendor_completions.d)
endforeach()
install(FILES ${here}/lintian-overrides DESTINATION share/lintian/overrides RENAME esports-stream
  ${package})

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME esports-stream)
set(CPACK_PACKAGE_DIRECTORY ${PROJECT_BINARY_DIR}/../package)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_COMPONENTS_ALL Unspecified package)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_GROUPING ALL_COMPONENTS_IN_ONE)
set(CPACK_STRIP_FILES ON)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "Kafka events of esports to Parquet tables, exactly once")
set(CPACK_PACKAGE_DESCRIPTION
  "Turns two Kafka topics of esports events into typed, partitioned Parquet\ntables, continuously and exactly once, in the formats of Spark Structured\nStreaming: it resumes Spark's checkpoints, and Spark resumes its.\n\nThe service is configured in /etc/esports-stream/esports-stream.env.")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_MAINTAINER "esports-stream maintainers <maintainers@esports-stream.invalid>")
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "adduser, tzdata")
# Authorities for TLS without a list of one's own; old names of time zones, which are in tzdata itself
# up to Debian 12.
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "ca-certificates, tzdata-legacy")
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${here}/postinst ${here}/prerm ${here}/postrm ${here}/conffiles)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
include(CPack)
