"""A Spark session with a small JVM, in the process that asks for it. The stories share one of
Spark 4; spark_process.py has sessions in processes of their own, of Spark 3.5 too."""

import contextlib
import os
import re

from .paths import JARS, ROOT, java_home

CONNECTORS = {"3.5": "spark35", "4": "spark"}


def open_session(directory, memory="1g", threads=2, version="4", **config):
    """Config: Spark's options with underscores for dots."""
    os.environ["JAVA_HOME"] = java_home()
    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
    os.environ["SPARK_LOCAL_DIRS"] = str(directory / "local")
    os.environ.pop("SPARK_HOME", None)
    from pyspark.sql import SparkSession

    jars = ",".join(str(path) for path in sorted((JARS / CONNECTORS[version]).glob("*.jar")))
    builder = (
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
    )
    for name, value in config.items():
        builder = builder.config(name.replace("_", "."), value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    return session


@contextlib.contextmanager
def session_of_a_cluster(spark):
    """The session with what the program fixes for a cluster's; afterwards as it was."""
    source = (ROOT / "src" / "streaming" / "cluster" / "spark" / "spark_session.c").read_text()
    fixed = dict(re.findall(r'\{"(spark\.sql\.[\w.]+)", "(\w+)"\}', source))
    settings = {name: value for name, value in fixed.items() if ".streaming." not in name}
    assert settings["spark.sql.ansi.enabled"] == "false"
    assert settings["spark.sql.optimizer.enableJsonExpressionOptimization"] == "false"
    before = {name: spark.conf.get(name) for name in settings}
    for name, value in settings.items():
        spark.conf.set(name, value)
    yield spark
    for name, value in before.items():
        spark.conf.set(name, value)
