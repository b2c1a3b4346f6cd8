#!/usr/bin/env python3
"""Runs that write event files for TensorBoard, read here by the definition of the format (TFRecord, CRC-32C, Event and
Summary messages), and by TensorBoard's own reader where Python has it.

Usage: tensorboard_events.py PROGRAM [TEST ...], as unittest's own.
"""

import math
import struct
import subprocess
import time
import unittest

from cli_case import LIMIT, Case, run_tests

try:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
except ImportError:
    EventAccumulator = None


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff


def masked_crc(data):
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xa282ead8) & 0xffffffff


def records(data):
    """The records of a TFRecord file, up to one that is not complete."""
    while len(data) >= 12:
        length, length_crc = struct.unpack_from("<QI", data)
        if length_crc != masked_crc(data[:8]):
            raise ValueError("the length's checksum is wrong")
        if len(data) < 16 + length:
            return
        record = data[12:12 + length]
        if struct.unpack_from("<I", data, 12 + length)[0] != masked_crc(record):
            raise ValueError("the data's checksum is wrong")
        yield record
        data = data[16 + length:]


def varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 0x7f) << shift
        shift += 7
        at += 1
        if data[at - 1] < 0x80:
            return value, at


def fields(message):
    """The fields of a protobuf message: number, value."""
    at = 0
    while at < len(message):
        key, at = varint(message, at)
        wire = key & 7
        if wire == 0:
            value, at = varint(message, at)
        else:
            length, at = varint(message, at) if wire == 2 else ({1: 8, 5: 4}[wire], at)
            value = message[at:at + length]
            if len(value) != length:
                raise ValueError("a field goes beyond its message")
            at += length
        yield key >> 3, value


def event(record):
    """Wall time, step, and of what there is: the version, whether it is a start, the scalars."""
    found = dict(fields(record))
    scalars = {}
    for number, value in fields(found.get(5, b"")):
        assert number == 1
        parts = dict(fields(value))
        scalars[parts[1].decode()] = struct.unpack("<f", parts[2])[0]
    return {"time": struct.unpack("<d", found[1])[0], "step": found.get(2, 0), "version": found.get(3),
            "start": 7 in found and dict(fields(found[7])) == {1: 1}, "scalars": scalars}


def event_files(run):
    return sorted(run.glob("events.out.tfevents.*"))


def scalars_of(run):
    """By name, the steps and values of all files of a run, as readers see them: a start makes them forget the steps
    from its own on."""
    series = {}
    for path in event_files(run):
        for found in map(event, records(path.read_bytes())):
            if found["start"]:
                series = {name: [point for point in points if point[0] < found["step"]]
                          for name, points in series.items()}
            for name, value in found["scalars"].items():
                series.setdefault(name, []).append((found["step"], value))
    return series


def single(value):
    return struct.unpack("<f", struct.pack("<f", value))[0]


class Events(Case):
    def expected(self, run):
        series = {}
        for record in self.records(run):
            for name, value in record.items():
                if name != "step":
                    series.setdefault(name, []).append((record["step"], single(value)))
        return series

    def check_tensorboard(self, run):
        if EventAccumulator is None:
            return
        accumulator = EventAccumulator(str(run), size_guidance={"scalars": 0}).Reload()
        found = {name: [(point.step, point.value) for point in accumulator.Scalars(name)]
                 for name in accumulator.Tags()["scalars"]}
        self.assertEqual(found, self.expected(run))

    def test_checksum(self):
        self.assertEqual(crc32c(b"123456789"), 0xe3069283)

    def test_run(self):
        run = self.runs / "a"
        begin = time.time()
        self.succeed("train", self.vision, "--out", run, "--tensorboard", "--quiet")
        path, = event_files(run)
        events = [event(record) for record in records(path.read_bytes())]
        self.assertEqual(events[0]["version"], b"brain.Event:2")
        self.assertTrue(events[1]["start"])
        times = [begin, *(found["time"] for found in events), time.time()]
        self.assertEqual(times, sorted(times))
        series = scalars_of(run)
        self.assertEqual(series, self.expected(run))
        self.assertEqual([step for step, _ in series["loss"]], [4, 8, 12])
        self.assertEqual([step for step, _ in series["test_accuracy"]], [8, 12])
        self.check_tensorboard(run)
        damaged = bytearray(path.read_bytes())
        damaged[len(damaged) // 2] ^= 1
        with self.assertRaises(ValueError):
            list(records(bytes(damaged)))
        # A new run in the folder begins anew; one that does not ask for the file has none.
        self.succeed("train", self.vision, "--out", run, "--overwrite", "--set", "train.tensorboard=true", "--steps", 3,
                     "--quiet")
        self.assertEqual([step for step, _ in scalars_of(run)["loss"]], [3])
        self.succeed("train", self.vision, "--out", run, "--overwrite", "--quiet")
        self.assertEqual(event_files(run), [])

    def test_resume(self):
        run = self.runs / "a"
        process = subprocess.Popen([self.program, "train", str(self.vision), "--out", str(run), "--steps", "300000",
                                    "--set", "train.log_interval=1", "train.eval_interval=200", "--tensorboard",
                                    "--quiet"], cwd=self.root)
        until = time.monotonic() + LIMIT
        while not (run / "checkpoint/state.safetensors").exists():
            self.assertIsNone(process.poll(), "ended by itself")
            self.assertLess(time.monotonic(), until)
            time.sleep(0.01)
        before = len((run / "metrics.jsonl").read_bytes())
        while len((run / "metrics.jsonl").read_bytes()) < before + 1000:  # beyond the checkpoint
            self.assertLess(time.monotonic(), until)
            time.sleep(0.01)
        process.kill()
        process.wait(LIMIT)
        first, = event_files(run)
        with first.open("ab") as file:  # as if it had not been written to the end
            file.write(first.read_bytes()[:30])
        config = run / "config.json"
        config.write_text(config.read_text().replace("300000", str(self.records(run)[-1]["step"] + 300)))
        self.succeed("train", "--resume", run, "--quiet")
        self.assertEqual(len(event_files(run)), 2)
        series = scalars_of(run)
        steps = [step for step, _ in series["loss"]]
        self.assertEqual(steps, list(range(1, steps[-1] + 1)))
        self.assertTrue(all(math.isfinite(value) for _, value in series["loss"]))
        self.assertEqual(series, self.expected(run))
        self.check_tensorboard(run)

    @unittest.skipIf(EventAccumulator is None, "Python has no package tensorboard")
    def test_tensorboard_is_there(self):
        """Names in the list of tests whether TensorBoard's own reader took part."""


if __name__ == "__main__":
    run_tests()
