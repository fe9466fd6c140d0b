"""Backups as docs/operations.md describes them, and what a restore does with them."""

import shutil


def restore(job, backup):
    """The lake is lost, and its backup put in its place."""
    shutil.rmtree(job.lake.root)
    shutil.copytree(backup, job.lake.root, symlinks=True)


def test_a_copy_of_the_stopped_lake_is_a_backup(job, tmp_path):
    job.create_topic(partitions=2)
    job.produce(['{"match_id": "M1"}', "no JSON"])
    job.run()
    shutil.copytree(job.lake.root, tmp_path / "backup", symlinks=True)
    job.produce(['{"match_id": "M2"}'], partition=1)
    job.run()
    job.assert_exact()

    restore(job, tmp_path / "backup")

    # What came after the backup is read from Kafka again.
    job.run()
    job.assert_exact()
    assert job.run("verify", "--job", "matches", TRIGGER=None).lines("match_stream: every offset is present exactly once")


def test_a_snapshot_of_the_running_lake_is_a_backup(job, tmp_path):
    """A snapshot of the file system is the disk at one moment: that of a frozen program."""
    job.create_topic(partitions=2)
    job.broker.generate(job.topics["matches"], "matches", 40000, 2)
    process = job.start(TRIGGER="0 seconds", MAX_OFFSETS_PER_TRIGGER=500)
    for number in range(3):
        process.wait_log("written successfully", count=20 * number + 3)
        process.pause()
        shutil.copytree(job.lake.root, tmp_path / f"snapshot-{number}", symlinks=True)
        process.resume()
    process.kill()

    for number in range(3):
        restore(job, tmp_path / f"snapshot-{number}")
        job.run()
        job.assert_exact()


def test_a_later_programs_files_are_refused_untouched_after_a_roll_back(job):
    job.create_topic()
    job.produce(['{"match_id": "M1"}'])
    job.run()
    manifest = job.lake.checkpoint("matches") / "manifests" / "0"
    later = manifest.read_text().replace("v1\n", "v9\n", 1)
    manifest.write_text(later)
    before = sorted(job.lake.root.glob("**/*"))

    process = job.run(exit_code=5)

    assert process.lines(f"CRITICAL.*{manifest}")
    assert sorted(job.lake.root.glob("**/*")) == before and manifest.read_text() == later
