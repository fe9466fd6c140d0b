/* overview.js: one verdict over all queries, what needs attention, and a card for each query. */
'use strict';

const LEVELS = ['ok', 'idle', 'warn', 'bad']; // from best to worst
const LEVEL_WORDS = {ok: 'Healthy', warn: 'Warning', bad: 'Action needed'};
const SEVERITY_LEVELS = {warning: 'warn', critical: 'bad'};
const IDLE_STATES = ['unknown', 'starting', 'stopped'];

function levelOf({severity, state}) {
  return SEVERITY_LEVELS[severity] ?? (IDLE_STATES.includes(state) ? 'idle' : 'ok');
}

function worstLevel(levels) {
  return LEVELS[Math.max(0, ...levels.map((level) => LEVELS.indexOf(level)))];
}

/* "Starting", "Stopped": what idle queries have in common. */
function idleWord(states) {
  const common = states.every((state) => state === states[0]) ? states[0] : '';
  return {starting: 'Starting', stopped: 'Stopped'}[common] ?? 'Not running';
}

/* What needs attention, {names, level, text, action}. The same fault of several queries is one
 * finding, even if it began a few seconds later in one of them. */
function findingsOf(judged) {
  const findings = new Map();
  for (const {name, health} of judged) {
    const {state, severity, reason, action} = health;
    if (severity === 'none') continue;
    const text = `${state}: ${reason}`;
    const key = text.replaceAll(/\d+ s\b/g, '');
    const one = findings.get(key) ?? {names: [], level: SEVERITY_LEVELS[severity], text, action};
    one.names.push(name);
    findings.set(key, one);
  }
  return [...findings.values()];
}

/* Whether a text has an error in it; the numbers of attempts and seconds may differ. */
function hasError(text, error) {
  const plain = (one) => one.replaceAll(/\d+/g, '0');
  return plain(text).includes(plain(error));
}

/* ---- cards ---- */

/* An age while the program answers; afterwards the moment, because ages would go stale. */
function sinceText(when) {
  if (isMissing(when)) return NOTHING;
  const age = serverNow() - dateOf(when);
  const isAge = connection.lostAt === null && !Number.isNaN(age);
  return isAge ? `${formatAge(age)} ago` : `at ${formatMoment(when)}`;
}

function newestText({newestBatch, resumedAfter}) {
  const batch = newestBatch ?? resumedAfter;
  return batch ? `#${batch.batchId}, ${sinceText(batch.committedAt)}` : 'none yet';
}

/* After a restart the checkpoint knows only when the newest batch was committed. */
function newestRecordText({freshness, newestBatch, resumedAfter}) {
  const isOld = isMissing(freshness.newestRecordAt) && !newestBatch && resumedAfter;
  if (isOld) return `committed ${sinceText(resumedAfter.committedAt)}, before the start`;
  return sinceText(freshness.newestRecordAt);
}

function rejectsText({totals}) {
  const {rejects} = totals;
  return rejects
    ? `${formatCount(rejects)} (${formatShare(rejects, inputRecords(totals))})`
    : '0';
}

/* Of the last minute's batches, or the newest two; null while the query does not move. The newest
 * batch alone says little: it may have started right after the one before it. */
function inputRate({name, rates}) {
  const {batches} = knownOf(name);
  const last = batches[batches.length - 1];
  if (isMissing(rates.inputRowsPerSecond) || batches.length < 2) return null;
  const secondsTo = ({startedAt}) => (Date.parse(last.startedAt) - Date.parse(startedAt)) / 1000;
  const from = batches.findLastIndex((one) => one !== last && secondsTo(one) >= 60);
  const first = Math.max(0, from);
  const records = batches
    .slice(first + 1)
    .reduce((sum, batch) => sum + inputRecords(batch), 0);
  return records / secondsTo(batches[first]);
}

const CARD_FACTS = [
  [
    'Input',
    'records per second, averaged over the batches of the last minute',
    (query) => formatRate(inputRate(query)),
  ],
  [
    'Capacity',
    'records per second that the newest batch processed while it ran',
    ({rates}) => formatRate(rates.processedRowsPerSecond),
  ],
  [
    'Newest record',
    'freshness: Kafka timestamp of the newest committed record',
    newestRecordText,
  ],
  ['Newest batch', 'number and time of the commit', newestText],
  [
    'Duration',
    'of the newest batch',
    ({newestBatch}) => formatDuration(newestBatch?.durationMs.total),
  ],
  ['Trigger', 'when the next batch starts', ({trigger}) => trigger],
  ['Rows since start', 'of this process', ({totals}) => formatCount(totals.rows)],
  ['Rejects since start', 'of this process', rejectsText],
  ['Lost since start', 'offsets, of this process', ({totals}) => formatCount(totals.lost)],
];

/* How long the backlog takes at the newest batch's rate; of a query that falls behind, it says
 * nothing. */
function catchUpText({lag, health}) {
  const seconds = lag.catchUpSeconds;
  if (isMissing(lag.records)) return `since ${formatMoment(lag.unknownSince)}`;
  if (lag.records === 0) return 'up to date';
  if (isMissing(seconds) || health.severity !== 'none') return '';
  return `${seconds < 1 ? 'less than 1 s' : `about ${formatAge(1000 * seconds)}`} to catch up`;
}

/* "3 failed attempts since 12:00:01, next attempt at 12:00:31, gives up at 12:10:01 (…)". */
function retryText({retry}) {
  if (!retry) return '';
  const parts = [
    `${formatCounted(retry.attempts, 'failed attempt')} since ${formatMoment(retry.since)}`,
    retry.nextAttemptAt
      ? `next attempt at ${formatMoment(retry.nextAttemptAt)}`
      : 'another attempt is running',
    retry.until ? `gives up at ${formatMoment(retry.until)} (${retry.limit})` : 'no time limit',
  ];
  return `${parts.join(', ')}.`;
}

function recoveredText({recovered}) {
  if (!recovered) return '';
  const {at, lastedMs, reason} = recovered;
  return `Recovered at ${formatMoment(at)} after ${formatDuration(lastedMs)}: ${reason}`;
}

/* The last error, unless something else on the page says it. */
function errorText({lastError, health, recovered}) {
  if (!lastError || hasError(`${health.reason} ${recovered?.reason}`, lastError.text)) return '';
  if (lastError.retrying && health.severity !== 'none') return '';
  return `Last error, ${formatMoment(lastError.at)}: ${lastError.text}`;
}

/* A failed query's message is its error, which is a finding. */
function messageText({message, lastError}) {
  return lastError && message.includes(lastError.text) ? '' : message;
}

function createCard(query) {
  const facts = CARD_FACTS.map(([name, title]) =>
    make('div', {}, make('dt', {title}, name), make('dd')),
  );
  const part = (name) => make('span', {class: name});
  return make(
    'article',
    {class: 'card query'},
    make(
      'div',
      {class: 'title'},
      make('a', {class: 'name', href: `#${encodeURIComponent(query.name)}`}, query.name),
      make(
        'span',
        {class: 'state'},
        make('span', {class: 'mark', 'aria-hidden': 'true'}),
        part('state-word'),
      ),
    ),
    make('p', {class: 'message muted'}),
    make(
      'p',
      {class: 'behind'},
      ...[part('behind-count'), ' ', part('behind-noun'), ' ', part('behind-time')],
    ),
    make('dl', {class: 'facts'}, ...facts),
    ...['retry', 'error', 'recovered'].map((name) => make('p', {class: `note ${name}`})),
  );
}

function updateCard(card, query, level, selected) {
  const put = (selector, text) => setText(card.querySelector(selector), text);
  setAttribute(card, 'data-level', level);
  const link = card.querySelector('.name');
  if (selected) link.setAttribute('aria-current', 'true');
  else link.removeAttribute('aria-current');
  card.classList.toggle('selected', selected);
  const state = level === 'warn' || level === 'bad' ? query.health.state : query.state;
  const {records} = query.lag;
  put('.state-word', connection.lostAt === null ? state : `last known: ${state}`);
  put('.message', messageText(query));
  put('.behind-count', isMissing(records) ? 'Lag unknown' : formatCount(records));
  put('.behind-noun', isMissing(records) ? '' : records === 1 ? 'record behind' : 'records behind');
  put('.behind-time', catchUpText(query));
  card.querySelectorAll('dd').forEach((node, index) => setText(node, CARD_FACTS[index][2](query)));
  const notes = {retry: retryText, error: errorText, recovered: recoveredText};
  for (const [name, text] of Object.entries(notes)) {
    put(`.${name}`, text(query));
    card.querySelector(`.${name}`).hidden = text(query) === '';
  }
}

/* ---- the verdict ---- */

/* The shapes of the marks, on a canvas of 16 by 16. */
const ICON_SHAPES = {
  ok: 'M8 1a7 7 0 1 0 .01 0z',
  idle: 'M8 1a7 7 0 1 0 .01 0z',
  warn: 'M8 1 15 8 8 15 1 8z',
  bad: 'M8 1 15 15H1z',
};

/* In the top line and in the tab, which may be in the background all day. The title has no numbers,
 * so that it changes only when the verdict does. */
function showVerdict(level, word, text) {
  setAttribute(byId('verdict'), 'data-level', level);
  setText(byId('verdict-word'), word);
  setText(byId('verdict-text'), text);
  const path = `<path fill="${cssColor(`--${level}`)}" d="${ICON_SHAPES[level]}"/>`;
  const drawing = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16">${path}</svg>`;
  setAttribute(byId('icon'), 'href', `data:image/svg+xml,${encodeURIComponent(drawing)}`);
  const title = `${word} · esports-stream`;
  if (document.title !== title) document.title = title;
}

function showFindings(findings) {
  byId('reasons').hidden = findings.length === 0;
  reconcile(
    byId('reasons'),
    findings,
    ({names}) => names.join(' '),
    () => make('li', {}, make('p', {class: 'found'}), ' ', make('p', {class: 'action'})),
    (item, {names, level, text, action}) => {
      setAttribute(item, 'data-level', level);
      setText(item.querySelector('.found'), `${names.join(', ')}: ${text}`);
      setText(item.querySelector('.action'), action && `What to do: ${action}`);
    },
  );
}

const WORKING = ['running', 'waiting']; // they alternate with every batch, which is not announced
let announcedVerdict = null;

function announceVerdict(word, queries) {
  const states = queries.map(({name, state, health}) => {
    if (health.severity !== 'none') return `${name}: ${health.state}`;
    return `${name}: ${WORKING.includes(state) ? 'running' : state}`;
  });
  const verdict = `${word}. ${states.join(', ')}.`;
  if (announcedVerdict !== null && announcedVerdict !== verdict) announce(verdict);
  announcedVerdict = verdict;
}

function showCards(queries, selectedName) {
  reconcile(
    byId('queries'),
    queries,
    ({name}) => name,
    createCard,
    (card, query) => updateCard(card, query, levelOf(query.health), query.name === selectedName),
  );
}

function lagText(queries) {
  const lags = queries.map(({lag}) => lag.records);
  if (lags.some(isMissing)) return 'lag unknown';
  const sum = lags.reduce((all, lag) => all + lag, 0);
  return `${formatCounted(sum, 'record')} behind`;
}

function updateOverview({queries, memory}, selectedName) {
  const judged = [...queries, {name: 'Memory', health: memory.health}];
  const levels = judged
    .filter(({name, health}) => name !== 'Memory' || health.severity !== 'none')
    .map(({health}) => levelOf(health))
    .filter((level) => level !== 'idle');
  const level = levels.length ? worstLevel(levels) : 'idle';
  const word = LEVEL_WORDS[level] ?? idleWord(queries.map(({state}) => state));
  showVerdict(level, word, lagText(queries));
  showFindings(findingsOf(judged));
  showCards(queries, selectedName);
  announceVerdict(word, queries);
}
