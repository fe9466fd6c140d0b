-- The topic over which the expressions of expressions.txt are; @ stands for them.
CREATE TABLE riot (
  id STRING COMMENT 'who', n INT, big BIGINT, small SMALLINT, tiny TINYINT, real FLOAT, d DOUBLE, flag BOOLEAN, day DATE,
  at TIMESTAMP, local TIMESTAMP_NTZ, bytes BINARY, price DECIMAL(10,2),
  info STRUCT<queueId: INT, deep: STRUCT<x: INT, y: STRING>>, list ARRAY<STRUCT<k: INT>>, tags MAP<STRING, INT>,
  `odd name` INT, `case` INT, topic STRING, twin INT, Twin INT
) USING kafka OPTIONS (subscribe 'matches');

CREATE STREAMING TABLE expressions AS
SELECT n AS alias, @
FROM STREAM riot;
