/* format.js: numbers, times and bytes as people read them. Nothing here makes markup. */
'use strict';

const NOTHING = '–';
const GAP = '\u00a0'; // between a number and its unit, which stay on one line
const counts = new Intl.NumberFormat('en', {maximumFractionDigits: 0});
const tenths = new Intl.NumberFormat('en', {maximumFractionDigits: 1, minimumFractionDigits: 1});
const brief = new Intl.NumberFormat('en', {notation: 'compact', maximumSignificantDigits: 3});

const isMissing = (value) => value === null || value === undefined || Number.isNaN(value);

/* Records that a batch, a step of the history or the process has read. Only a query with WHERE or
 * LATERAL VIEW counts accepted records apart from rows. */
const inputRecords = ({rows, rejects, accepted = rows}) => accepted + rejects;

function formatCount(count) {
  return isMissing(count) ? NOTHING : counts.format(count);
}

function formatBrief(count) {
  return isMissing(count) ? NOTHING : brief.format(count).replace('K', 'k');
}

/* "1 record", "2 records". */
function formatCounted(count, noun, nouns = `${noun}s`) {
  return `${formatCount(count)} ${count === 1 ? noun : nouns}`;
}

/* With as many places as the limits say, [[10, 2], [100, 1]]: two below 10, one below 100, else
 * none. What is shown decides, not the value: 9.996 has one place, "10.0". */
function toPlaces(value, limits) {
  const fits = ([limit, places]) => Number(value.toFixed(places)) < limit;
  const [, places] = limits.find(fits) ?? [Infinity, 0];
  return value.toFixed(places);
}

function formatRate(perSecond) {
  if (isMissing(perSecond)) return NOTHING;
  const isSmall = perSecond > 0 && Number(perSecond.toFixed(1)) < 10;
  return `${(isSmall ? tenths : counts).format(perSecond)}/s`;
}

function formatScaled(value, units, step) {
  let unit = 0;
  while (Math.round(value) >= step && unit < units.length - 1) {
    value /= step;
    unit++;
  }
  const limits = Number.isInteger(value) ? [] : [[10, 2], [100, 1]];
  return `${toPlaces(value, limits)}${GAP}${units[unit]}`;
}

function formatBytes(bytes) {
  return isMissing(bytes) ? NOTHING : formatScaled(bytes, ['B', 'KiB', 'MiB', 'GiB', 'TiB'], 1024);
}

/* Rounded before it is split: 119.6 seconds are 2 minutes. */
function formatDuration(ms) {
  if (isMissing(ms)) return NOTHING;
  if (Math.round(ms) < 1000) return `${toPlaces(ms, ms > 0 ? [[10, 1]] : [])}${GAP}ms`;
  const shown = toPlaces(ms / 1000, [[10, 2], [100, 1]]);
  if (Number(shown) < 100) return `${shown}${GAP}s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 6000) return `${Math.floor(seconds / 60)}${GAP}min ${seconds % 60}${GAP}s`;
  const minutes = Math.round(ms / 60000);
  return minutes < 6000
    ? `${Math.floor(minutes / 60)}${GAP}h ${minutes % 60}${GAP}min`
    : `${formatCount(ms / 86400000)}${GAP}days`;
}

/* As far as one cares how long ago something was: a whole number of one unit. */
function formatAge(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const minutes = Math.round(seconds / 60);
  const hours = Math.round(seconds / 3600);
  if (seconds < 100) return `${seconds}${GAP}s`;
  if (minutes < 100) return `${minutes}${GAP}min`;
  return hours < 100 ? `${hours}${GAP}h` : `${formatCount(seconds / 86400)}${GAP}days`;
}

function formatShare(part, whole) {
  if (!whole) return NOTHING;
  const percent = (100 * part) / whole;
  if (part > 0 && percent < 0.01) return `<${GAP}0.01${GAP}%`;
  return `${toPlaces(percent, percent === 0 ? [] : [[10, 2]])}${GAP}%`;
}

/* ---- times, in the reader's zone; `when` is a Date, milliseconds or ISO text ---- */

const two = (number) => String(number).padStart(2, '0');

/* JavaScript reads a year beyond four digits only if it has six: "+010000-01-01T00:00:00Z". */
function dateOf(when) {
  const isText = typeof when === 'string';
  return new Date(
    isText
      ? when.replace(/^([+-])(\d{4,5})-/, (_, sign, year) => `${sign}${year.padStart(6, '0')}-`)
      : when,
  );
}

function yearOf(date) {
  const year = date.getFullYear();
  const sign = year < 0 ? '-' : year > 9999 ? '+' : '';
  return sign + String(Math.abs(year)).padStart(4, '0');
}

function formatClock(when, withSeconds = true) {
  const date = dateOf(when);
  const clock = `${two(date.getHours())}:${two(date.getMinutes())}`;
  return withSeconds ? `${clock}:${two(date.getSeconds())}` : clock;
}

function formatDate(when) {
  const date = dateOf(when);
  return `${yearOf(date)}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/* The date only where it isn't today's; as it is what is beyond JavaScript's calendar. */
function formatMoment(when) {
  if (isMissing(when)) return NOTHING;
  if (Number.isNaN(dateOf(when).getTime())) return String(when);
  const clock = formatClock(when);
  return formatDate(when) === formatDate(serverNow()) ? clock : `${formatDate(when)} ${clock}`;
}

/* To the millisecond. */
function formatInstant(when) {
  const milliseconds = isMissing(when) ? NaN : dateOf(when).getMilliseconds();
  const places = Number.isNaN(milliseconds) ? '' : `.${String(milliseconds).padStart(3, '0')}`;
  return formatMoment(when) + places;
}

/* ---- bytes of unknown origin ---- */

function bytesOfBase64(text) {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

const utf8 = new TextDecoder('utf-8', {fatal: true, ignoreBOM: true});
// What is invisible, moves other text around, or is not a character.
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/u;
const SHORT_ESCAPES = {'\n': '\\n', '\r': '\\r', '\t': '\\t'};

/* The character that begins at `at`, {text, size}; text is null where there is none. */
function characterAt(bytes, at) {
  const lead = bytes[at];
  const size = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  try {
    return {text: utf8.decode(bytes.subarray(at, at + size)), size};
  } catch {
    return {text: null, size: 1};
  }
}

/* The bytes as pieces of text, [{text, at, escaped}]: UTF-8 as it is; what is not UTF-8, or not
 * safe to show, escaped. `at` is the offset of a piece's first byte. Every escape is a piece, and
 * so is the character at `split`. */
function piecesOfBytes(bytes, split) {
  const pieces = [];
  for (let at = 0; at < bytes.length;) {
    const {text, size} = characterAt(bytes, at);
    const escaped = text === null || UNSAFE.test(text);
    const last = pieces[pieces.length - 1];
    const shown =
      text === null
        ? `\\x${bytes[at].toString(16).padStart(2, '0')}`
        : !escaped
          ? text
          : (SHORT_ESCAPES[text] ?? `\\u{${text.codePointAt(0).toString(16)}}`);
    if (last && !escaped && !last.escaped && at !== split && last.at !== split) last.text += shown;
    else pieces.push({text: shown, at, escaped, breaks: text === '\n'});
    at += size;
  }
  return pieces;
}

/* As hexdump -C prints it. */
function hexOfBytes(bytes) {
  const lines = [];
  for (let at = 0; at < bytes.length; at += 16) {
    const row = Array.from(bytes.subarray(at, at + 16));
    const hex = row.map((byte) => byte.toString(16).padStart(2, '0'));
    const text = row.map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.'));
    const columns = [
      at.toString(16).padStart(4, '0'),
      hex.slice(0, 8).join(' ').padEnd(23),
      hex.slice(8).join(' ').padEnd(23),
      text.join(''),
    ];
    lines.push(columns.join('  '));
  }
  return lines.join('\n');
}
