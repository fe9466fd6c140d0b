"""Spark, one session for all stories: a small JVM of its own beside the tests."""

import os

from .paths import JARS, java_home


def open_session(directory, memory="1g", threads=2):
    os.environ["JAVA_HOME"] = java_home()
    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
    os.environ["SPARK_LOCAL_DIRS"] = str(directory / "local")
    os.environ.pop("SPARK_HOME", None)
    from pyspark.sql import SparkSession

    jars = ",".join(str(path) for path in sorted((JARS / "spark").glob("*.jar")))
    session = (
        SparkSession.builder.appName("stories")
        .master(f"local[{threads}]")
        .config("spark.jars", jars)
        .config("spark.driver.memory", memory)
        .config("spark.driver.extraJavaOptions", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.shuffle.partitions", "2")
        .config("spark.sql.warehouse.dir", str(directory / "warehouse"))
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("ERROR")
    return session
