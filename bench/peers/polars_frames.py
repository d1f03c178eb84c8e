"""Polars: distinct names, their parents joined a label at a time. ``... LOG VALUES``."""

from __future__ import annotations

import sys

from answer import need, tell


def main(log: str, values: str) -> None:
    """Count the rows whose name is an indicator or below one."""
    need("polars")
    import polars as pl

    def work() -> int:
        wanted = pl.read_parquet(values)
        names = pl.scan_parquet(log).select("Name").filter(pl.col("Name") != "").unique()
        walk = names.with_columns(
            p=pl.col("Name").str.to_lowercase().str.strip_chars_end(".")
        ).collect()
        hits = []
        while walk.height:
            hits.append(walk.join(wanted, left_on="p", right_on="value", how="semi")["Name"])
            walk = walk.filter(pl.col("p").str.contains(".", literal=True)).with_columns(
                p=pl.col("p").str.replace(r"^[^.]*\.", "")
            )
        rows = pl.scan_parquet(log).select(
            pl.col("Name").is_in(pl.concat(hits).unique().implode()).sum()
        )
        return int(rows.collect().item())

    tell(work, f"Polars {pl.__version__}")


if __name__ == "__main__":
    main(*sys.argv[1:])
