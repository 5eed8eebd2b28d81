/** Formats numbers, costs and times for display. */
import type { Cost } from "./api/types";

type Formatter = Intl.NumberFormat | Intl.DateTimeFormat | Intl.RelativeTimeFormat;

const formatters = new Map<string, Formatter>();

/** Creates a formatter on first use: constructing one is slow. */
function cachedFormatter<T extends Formatter>(name: string, create: () => T): T {
  const cached = formatters.get(name) as T | undefined;
  if (cached) return cached;
  const formatter = create();
  formatters.set(name, formatter);
  return formatter;
}

/** `13.6K`, `950`; an unknown number is a dash. */
export function formatCount(value: number | null | undefined): string {
  if (value == null) return "–";
  const compact = cachedFormatter(
    "compact",
    () => new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 }),
  );
  return compact.format(value);
}

/** `$0.031`; small amounts keep two significant digits, an unknown price is a dash. */
export function formatCost(cost: Cost | null | undefined): string {
  if (!cost) return "–";
  const amount = Number(cost.amount);
  const digits =
    amount !== 0 && Math.abs(amount) < 0.01
      ? { maximumSignificantDigits: 2 }
      : { minimumFractionDigits: 2, maximumFractionDigits: 3 };
  const kind = "maximumSignificantDigits" in digits ? "small" : "large";
  return cachedFormatter(
    `${cost.currency}${kind}`,
    () => new Intl.NumberFormat("en", { style: "currency", currency: cost.currency, ...digits }),
  ).format(amount);
}

/** `144 ms`, `1.6 s`, `1m 24s`, `2h 5m`. */
export function formatDuration(milliseconds: number | null | undefined): string {
  if (milliseconds == null) return "–";
  if (milliseconds < 1000) return `${Math.max(0, Math.round(milliseconds))} ms`;
  const seconds = milliseconds / 1000;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const minutes = Math.floor(Math.round(seconds) / 60);
  if (minutes < 60) return `${minutes}m ${Math.round(seconds) % 60}s`;
  if (minutes < 1440) return `${Math.floor(minutes / 60)}h ${minutes % 60}m`;
  return `${Math.floor(minutes / 1440)}d ${Math.floor((minutes % 1440) / 60)}h`;
}

/** `22 Nov 2026, 18:04:05` in the browser's time zone. */
export function formatDateTime(iso: string | number | Date): string {
  return cachedFormatter(
    "dateTime",
    () => new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" }),
  ).format(new Date(iso));
}

const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
];

/** `3 minutes ago`, `in 2 hours`, `just now`; beyond 30 days the date. */
export function formatTimeAgo(iso: string, now = Date.now()): string {
  const distance = new Date(iso).getTime() - now;
  if (Math.abs(distance) > 30 * 86_400_000) {
    return cachedFormatter(
      "date",
      () => new Intl.DateTimeFormat("en-GB", { dateStyle: "medium" }),
    ).format(new Date(iso));
  }
  const relative = cachedFormatter(
    "relative",
    () => new Intl.RelativeTimeFormat("en", { numeric: "auto" }),
  );
  for (const [unit, size] of STEPS) {
    if (Math.abs(distance) >= size) return relative.format(Math.round(distance / size), unit);
  }
  return "just now";
}

/** `1 task`, `3 tasks`. */
export function pluralize(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}

const MARKDOWN_PREFIX = /^[\s#>*_`-]+/;

/** Returns the first line of a text without Markdown marks, cut to `length` characters. */
export function previewText(text: string, length = 120): string {
  const line = text.replace(MARKDOWN_PREFIX, "").split("\n", 1)[0] ?? "";
  return line.length > length ? `${line.slice(0, length - 1)}…` : line;
}
