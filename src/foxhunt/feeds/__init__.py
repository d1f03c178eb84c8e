"""Feeds: what a publisher says, into indicators, with every refusal counted.

To add a feed from the network: hand its answer's bytes to `open_stream` and
`read_feed`, and the result to `sync_reads`.
"""

from foxhunt.feeds.opening import Limits, open_feed, open_stream
from foxhunt.feeds.reading import FeedRead, read_feed, read_file, read_indicators
from foxhunt.feeds.report import FileReport, SyncReport, describe_files, describe_sync
from foxhunt.feeds.sync import sync_files, sync_reads
from foxhunt.feeds.threatfox import read_record

__all__ = [
    "FeedRead",
    "FileReport",
    "Limits",
    "SyncReport",
    "describe_files",
    "describe_sync",
    "open_feed",
    "open_stream",
    "read_feed",
    "read_file",
    "read_indicators",
    "read_record",
    "sync_files",
    "sync_reads",
]
