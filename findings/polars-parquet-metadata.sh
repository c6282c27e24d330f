#!/usr/bin/env bash
# Key-value metadata that polars 2.1.0 writes into a Parquet file (write_parquet(metadata=...)) is not
# in the schema that pyarrow 26.0.1 reads, and is gone after one pass through pyarrow. One would guess
# that table.schema.metadata has it, since the file's key-value metadata is where pyarrow puts its own.
# Yet read_table, read_schema and dataset give None; only pq.read_metadata shows it. Units, a code
# book or a licence kept there vanish unseen.
# Why: polars also writes ARROW:schema, and where that key is, pyarrow takes the metadata in it and
# leaves the file's other keys; polars puts nothing in it unless told to.
# The other way polars sees the keys (read_parquet_metadata), but does not carry them: reading and
# writing drops them and the fields' own. What both see: write_parquet(arrow_schema=...) with the
# metadata in the schema, read by pyarrow; by polars only inside ARROW:schema.
# Source: polars DataFrame.write_parquet; cpp/src/parquet/arrow/schema.cc of Arrow, FromParquetSchema.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet polars==2.1.0 pyarrow==26.0.1
cd "$folder"
env/bin/python - <<'PYTHON'
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

print("polars", pl.__version__, "pyarrow", pa.__version__)
rows, told = pl.DataFrame({"weight": [71.5]}), {"units": "kg"}
rows.write_parquet("polars.parquet", metadata=told)
table = pq.read_table("polars.parquet")
pq.write_table(table, "passed.parquet")
seen = [table.schema, pq.read_schema("polars.parquet"), ds.dataset("polars.parquet").schema]
print("file:", pq.read_metadata("polars.parquet").metadata[b"units"], "schemas:", [s.metadata for s in seen])
print("after pyarrow:", list(pl.read_parquet_metadata("passed.parquet")))
assert pq.read_metadata("polars.parquet").metadata[b"units"] == b"kg"
assert pl.read_parquet_metadata("polars.parquet")["units"] == "kg"
assert all(schema.metadata is None for schema in seen), "pyarrow's schema now has the keys"
assert "units" not in pl.read_parquet_metadata("passed.parquet")

field = pa.field("weight", pa.float64(), metadata={"label": "Body weight"})
schema = pa.schema([field], metadata=told)
pq.write_table(pa.table({"weight": [71.5]}, schema=schema), "arrow.parquet")
assert pl.read_parquet_metadata("arrow.parquet")["units"] == "kg"
pl.read_parquet("arrow.parquet").write_parquet("again.parquet")
again = pq.read_schema("again.parquet")
print("after polars:", again.metadata, again.field("weight").metadata)
assert again.metadata is None and again.field("weight").metadata is None, "polars now carries it"

rows.write_parquet("both.parquet", arrow_schema=schema)
both = pq.read_schema("both.parquet")
print("with arrow_schema:", both.metadata, both.field("weight").metadata)
assert both.equals(schema, check_metadata=True)
assert "units" not in pl.read_parquet_metadata("both.parquet")
PYTHON
