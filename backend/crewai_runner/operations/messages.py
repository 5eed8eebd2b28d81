"""The output of finished commands."""

from collections.abc import Iterator

from crewai_runner.core.settings import Settings
from crewai_runner.operations.backup import Backup
from crewai_runner.operations.compaction import Compaction
from crewai_runner.operations.restore import Restoration
from crewai_runner.operations.rotation import Rotation


def describe_backup(backup: Backup, settings: Settings) -> Iterator[str]:
    manifest = backup.manifest
    yield (
        f"Backup written: {backup.path} ({backup.size:,} bytes, {len(manifest.database.tables)} tables, "
        f"{manifest.rows:,} rows, schema {manifest.database.revision})"
    )
    for key, count in manifest.seals.by_key.items():
        yield f"  Encrypted credentials: {count}, with the key {key} (fingerprint)"
    if manifest.seals.unreadable:
        yield f"  Warning: no available key decrypts {manifest.seals.unreadable} credential(s)."
    if backup.vanished:
        yield f"  {backup.vanished} memory file(s) were deleted during the backup."
    if backup.encrypted:
        yield "  Encrypted. Without the passphrase it cannot be restored."
    else:
        yield "  Not encrypted (see --encrypt): it contains all prompts, inputs and outputs."
    yield from _describe_keys(backup, settings)


def _describe_keys(backup: Backup, settings: Settings) -> Iterator[str]:
    if backup.keys:
        protection = "encrypted like the rest" if backup.encrypted else "unencrypted; protect it"
        yield f"  Warning: the file contains {' and '.join(backup.keys)}, {protection}."
    else:
        yield "  The key files secret-key and api-key are not included (see --with-keys). Keep a copy of them"
        yield "  elsewhere: without the secret key, stored credentials cannot be decrypted."
    if settings.secret_key:
        yield "  SECRET_KEY comes from the settings and is never part of a backup."


def describe_restore(result: Restoration) -> Iterator[str]:
    manifest = result.manifest
    created = f"{manifest.created_at:%Y-%m-%d %H:%M:%S} UTC by version {manifest.product_version}"
    yield f"Restored {manifest.rows:,} rows in {len(manifest.database.tables)} tables, backed up {created}"
    if manifest.database.revision != result.revision:
        yield f"  Migrated from schema {manifest.database.revision} to {result.revision}."
    for path in result.kept:
        yield f"  The previous data is kept: {path}"
    if result.keys:
        yield f"  Keys restored: {', '.join(result.keys)}"
    if result.undecryptable:
        yield (
            f"  Warning: {result.undecryptable} credential(s) are encrypted with a missing key. Put the key "
            "into secret-key or SECRET_KEY before starting, or enter the credentials again."
        )
    yield "  Runs that were running at the time of the backup resume at the next start, as after a crash."


def describe_compaction(compaction: Compaction) -> Iterator[str]:
    before, after = (size / 1024**2 for size in (compaction.before, compaction.after))
    yield f"The database file had {before:,.1f} MiB and has {after:,.1f} MiB now."
    yield "  From now on the server shrinks it itself after deletions."


def describe_rotation(result: Rotation, settings: Settings) -> Iterator[str]:
    yield f"{result.secrets} stored secret(s), {result.reencrypted} re-encrypted with the first key."
    if result.key_is_new:
        yield "  A new key was created; running servers pick it up."
    if result.unreadable:
        owners = ", ".join(sorted(set(result.unreadable)))
        yield f"  No key decrypts the credential of: {owners}. Enter it again."
    if result.kept:
        yield f"  {result.kept} old key(s) stay in secret-key until then; run the command again afterwards."
    elif result.dropped:
        yield f"  {result.dropped} old key(s) removed from secret-key. Older backups still need them."
    elif settings.secret_key and result.is_complete:
        yield "  You can remove every key but the first from SECRET_KEY. Older backups still need them."
