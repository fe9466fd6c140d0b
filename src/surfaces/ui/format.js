/* format.js: numbers, times and bytes as people read them. Nothing here makes markup. */
'use strict';

const NOTHING = '–';
const GAP = '\u00a0'; // between a number and its unit, which stay on one line
const counts = new Intl.NumberFormat('en', {maximumFractionDigits: 0});
const tenths = new Intl.NumberFormat('en', {maximumFractionDigits: 1, minimumFractionDigits: 1});
const brief = new Intl.NumberFormat('en', {notation: 'compact', maximumSignificantDigits: 3});

const isMissing = (value) => value === null || value === undefined || Number.isNaN(value);

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

function formatRate(perSecond) {
  if (isMissing(perSecond)) return NOTHING;
  return `${(perSecond > 0 && perSecond < 10 ? tenths : counts).format(perSecond)}/s`;
}

function formatScaled(value, units, step) {
  let unit = 0;
  while (value >= step && unit < units.length - 1) {
    value /= step;
    unit++;
  }
  const digits = Number.isInteger(value) || value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return `${value.toFixed(digits)}${GAP}${units[unit]}`;
}

function formatBytes(bytes) {
  return isMissing(bytes) ? NOTHING : formatScaled(bytes, ['B', 'KiB', 'MiB', 'GiB', 'TiB'], 1024);
}

function formatDuration(ms) {
  if (isMissing(ms)) return NOTHING;
  if (ms < 1000) return `${ms > 0 && ms < 10 ? tenths.format(ms) : Math.round(ms)}${GAP}ms`;
  const seconds = ms / 1000;
  if (seconds < 100) return `${seconds.toFixed(seconds < 10 ? 2 : 1)}${GAP}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 100) return `${minutes}${GAP}min ${Math.round(seconds % 60)}${GAP}s`;
  const hours = Math.floor(minutes / 60);
  return hours < 100
    ? `${hours}${GAP}h ${minutes % 60}${GAP}min`
    : `${formatCount(hours / 24)}${GAP}days`;
}

/* As far as one cares how long ago something was: a whole number of one unit. */
function formatAge(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 100) return `${seconds}${GAP}s`;
  if (seconds < 6000) return `${Math.round(seconds / 60)}${GAP}min`;
  const hours = Math.round(seconds / 3600);
  return hours < 100 ? `${hours}${GAP}h` : `${formatCount(hours / 24)}${GAP}days`;
}

function formatShare(part, whole) {
  if (!whole) return NOTHING;
  const percent = (100 * part) / whole;
  if (part > 0 && percent < 0.01) return `<${GAP}0.01${GAP}%`;
  return `${percent.toFixed(percent === 0 || percent >= 10 ? 0 : 2)}${GAP}%`;
}

/* ---- times, in the reader's zone; `when` is a Date, milliseconds or ISO text ---- */

const two = (number) => String(number).padStart(2, '0');

function formatClock(when, withSeconds = true) {
  const date = new Date(when);
  const clock = `${two(date.getHours())}:${two(date.getMinutes())}`;
  return withSeconds ? `${clock}:${two(date.getSeconds())}` : clock;
}

function formatDate(when) {
  const date = new Date(when);
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/* The date only where it isn't today's. */
function formatMoment(when) {
  if (isMissing(when)) return NOTHING;
  const clock = formatClock(when);
  return formatDate(when) === formatDate(serverNow()) ? clock : `${formatDate(when)} ${clock}`;
}

/* To the millisecond. */
function formatInstant(when) {
  if (isMissing(when)) return NOTHING;
  return `${formatMoment(when)}.${String(new Date(when).getMilliseconds()).padStart(3, '0')}`;
}

/* ---- bytes of unknown origin ---- */

function bytesOfBase64(text) {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

const utf8 = new TextDecoder('utf-8', {fatal: true, ignoreBOM: true});
// What is invisible, moves other text around, or is no character.
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
