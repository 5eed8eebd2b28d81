"""What the commands say when they are done."""

from collections.abc import Iterator

from crewai_runner.core.settings import Settings
from crewai_runner.operations.backup import Written
from crewai_runner.operations.restore import Restored
from crewai_runner.operations.rotation import Rotation


def of_backup(written: Written, settings: Settings) -> Iterator[str]:
    manifest = written.manifest
    yield (
        f"Backup written: {written.path} ({written.size:,} bytes, {len(manifest.database.tables)} tables, "
        f"{manifest.rows:,} rows, schema {manifest.database.revision})"
    )
    for key, count in manifest.seals.by_key.items():
        yield f"  Sealed credentials: {count}, under the key with fingerprint {key}"
    if manifest.seals.unreadable:
        yield f"  Warning: {manifest.seals.unreadable} credential(s) cannot be opened with the keys here."
    if written.vanished:
        yield f"  {written.vanished} file(s) of crews' memories went away while they were copied."
    yield from _about_keys(written, settings)


def _about_keys(written: Written, settings: Settings) -> Iterator[str]:
    if written.keys:
        yield f"  Warning: it holds {' and '.join(written.keys)} in clear. Who has this file has everything."
    else:
        yield "  The key files secret-key and api-key are not in it (--with-keys puts them in). Keep them"
        yield "  apart: without the key that seals them, credentials cannot be read again."
    if settings.secret_key:
        yield "  SECRET_KEY comes from the settings and is never part of a backup."


def of_restore(done: Restored) -> Iterator[str]:
    manifest = done.manifest
    made = f"{manifest.created_at:%Y-%m-%d %H:%M:%S} UTC by version {manifest.product_version}"
    yield f"Restored: {manifest.rows:,} rows in {len(manifest.database.tables)} tables, backed up {made}"
    if manifest.database.revision != done.revision:
        yield f"  Migrated from schema {manifest.database.revision} to {done.revision}."
    for path in done.kept:
        yield f"  What was here before is kept: {path}"
    if done.keys:
        yield f"  Keys restored: {', '.join(done.keys)}"
    if done.locked_out:
        yield (
            f"  Warning: {done.locked_out} credential(s) are sealed under a key that is not here. Put it "
            "into secret-key or SECRET_KEY before the start, or enter them again."
        )
    yield "  Runs that were at work when the backup was taken go on at the next start, as after a crash."


def of_rotation(done: Rotation, settings: Settings) -> Iterator[str]:
    yield f"{done.secrets} stored secret(s), {done.resealed} sealed again under the first key."
    if done.key_is_new:
        yield "  A new key was made; running servers follow it."
    if done.unreadable:
        yield f"  No key opens the credential of: {', '.join(sorted(set(done.unreadable)))}. Enter it again."
    if done.kept:
        yield f"  {done.kept} old key(s) stay in secret-key until then; run the command again."
    elif done.dropped:
        yield f"  {done.dropped} old key(s) left the file secret-key. Older backups still need them."
    elif settings.secret_key and done.complete:
        yield "  Every key but the first may leave SECRET_KEY. Older backups still need them."
