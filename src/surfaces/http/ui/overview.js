/* overview.js: is it healthy, and how far behind? One verdict over all queries, a card for each. */
'use strict';

const LEVELS = ['ok', 'idle', 'warn', 'bad']; // worse and worse
const LEVEL_WORDS = {ok: 'Healthy', idle: 'Quiet', warn: 'Needs watching', bad: 'Needs you'};
const SEVERITY_LEVELS = {warning: 'warn', critical: 'bad'};
const IDLE_STATES = ['unknown', 'starting', 'stopped'];

/* How the program's verdict is shown. */
function levelOf({severity, state}) {
  return SEVERITY_LEVELS[severity] ?? (IDLE_STATES.includes(state) ? 'idle' : 'ok');
}

function worstLevel(levels) {
  return LEVELS[Math.max(0, ...levels.map((level) => LEVELS.indexOf(level)))];
}

/* What somebody should know, a sentence each: of queries and of the memory. */
function reasonOf(name, {state, severity, reason, action}) {
  return {name, level: SEVERITY_LEVELS[severity], text: `${name}: ${state}: ${reason}`, action};
}

/* ---- cards ---- */

function newestText({newestBatch}) {
  if (!newestBatch) return 'none yet';
  const age = serverNow() - Date.parse(newestBatch.committedAt);
  return `#${newestBatch.batchId}, ${formatAge(age)} ago`;
}

function rejectsText({totals: {rows, rejects}}) {
  return rejects ? `${formatCount(rejects)} (${formatShare(rejects, rows + rejects)})` : '0';
}

const CARD_FACTS = [
  ['In', ({rates}) => formatRate(rates.inputRowsPerSecond)],
  ['Processed', ({rates}) => formatRate(rates.processedRowsPerSecond)],
  ['Newest batch', newestText],
  ['It took', ({newestBatch}) => formatDuration(newestBatch?.durationMs.total)],
  ['Trigger', ({trigger}) => trigger],
  ['Rows', ({totals}) => formatCount(totals.rows)],
  ['Rejects', rejectsText],
  ['Lost', ({totals}) => formatCount(totals.lost)],
];

/* About how long the backlog takes, by what the newest batch did. */
function catchUpText({lag}) {
  const seconds = lag.catchUpSeconds;
  if (isMissing(lag.records)) return `unknown since ${formatMoment(lag.unknownSince)}`;
  if (lag.records === 0) return 'nothing to catch up on';
  if (isMissing(seconds)) return '';
  return seconds < 1 ? 'less than a second of work' : `about ${formatAge(1000 * seconds)} of work`;
}

function createCard(query) {
  const facts = CARD_FACTS.map(([name]) => make('div', {}, make('dt', {}, name), make('dd')));
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
    make('p', {class: 'behind'}, part('behind-count'), part('behind-noun'), part('behind-time')),
    make('dl', {class: 'facts'}, ...facts),
    make('p', {class: 'error', hidden: true}),
  );
}

function updateCard(card, query, level, selected) {
  const put = (selector, text) => setText(card.querySelector(selector), text);
  setAttribute(card, 'data-level', level);
  const link = card.querySelector('.name');
  if (selected) link.setAttribute('aria-current', 'true');
  else link.removeAttribute('aria-current');
  card.classList.toggle('selected', selected);
  put('.state-word', level === 'warn' || level === 'bad' ? query.health.state : query.state);
  put('.message', query.message);
  put('.behind-count', formatCount(query.lag.records));
  put('.behind-noun', query.lag.records === 1 ? ' record behind ' : ' records behind ');
  put('.behind-time', catchUpText(query));
  card.querySelectorAll('dd').forEach((node, index) => setText(node, CARD_FACTS[index][1](query)));
  const error = card.querySelector('.error');
  error.hidden = !query.lastError;
  if (query.lastError)
    setText(error, `Last error, ${formatMoment(query.lastError.at)}: ${query.lastError.text}`);
}

/* ---- the verdict ---- */

/* Of a picture of 16 by 16: the shapes of the marks. */
const ICON_SHAPES = {
  ok: 'M8 1a7 7 0 1 0 .01 0z',
  idle: 'M8 1a7 7 0 1 0 .01 0z',
  warn: 'M8 1 15 8 8 15 1 8z',
  bad: 'M8 1 15 15H1z',
};

/* The tab's icon and title say it, too: for a page that is open all day behind others. */
function showInTab(level, text) {
  const path = `<path fill="${cssColor(`--${level}`)}" d="${ICON_SHAPES[level]}"/>`;
  const drawing = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16">${path}</svg>`;
  setAttribute(byId('icon'), 'href', `data:image/svg+xml,${encodeURIComponent(drawing)}`);
  if (document.title !== text) document.title = text;
}

const WORKING = ['running', 'waiting']; // they come and go with every batch: no news
let announcedVerdict = null;

function updateVerdict(level, reasons, queries) {
  const lags = queries.map((query) => query.lag.records);
  const behind = lags.some(isMissing) ? null : lags.reduce((sum, lag) => sum + lag, 0);
  const word = LEVEL_WORDS[level];
  setAttribute(byId('verdict'), 'data-level', level);
  setText(byId('verdict-word'), word);
  setText(
    byId('verdict-text'),
    behind === null ? 'lag unknown' : `${formatCounted(behind, 'record')} behind`,
  );
  byId('reasons').hidden = reasons.length === 0;
  reconcile(
    byId('reasons'),
    reasons,
    ({name}) => name,
    () => make('li', {}, make('span', {class: 'found'}), ' ', make('span', {class: 'action'})),
    (item, {level: itsLevel, text, action}) => {
      setAttribute(item, 'data-level', itsLevel);
      setText(item.querySelector('.found'), text);
      setText(item.querySelector('.action'), action);
    },
  );
  const lag = behind === null ? 'lag unknown' : `${formatBrief(behind)} behind`;
  showInTab(level, `${word} · ${lag} · esports-stream`);

  const states = queries.map(({name, state, health}) => {
    if (health.severity !== 'none') return `${name}: ${health.state}`;
    return WORKING.includes(state) ? `${name} works` : `${name}: ${state}`;
  });
  const verdict = `${word}. ${states.join(', ')}.`;
  if (announcedVerdict !== null && announcedVerdict !== verdict) announce(verdict);
  announcedVerdict = verdict;
}

function updateOverview(answer, selectedName) {
  const {queries, memory} = answer;
  const found = queries.map(({name, health}) => ({name, health}));
  const levels = queries.map(({health}) => levelOf(health));
  if (memory.health.severity !== 'none') {
    found.push({name: 'Memory', health: memory.health});
    levels.push(levelOf(memory.health));
  }
  const reasons = found
    .filter(({health}) => health.severity !== 'none')
    .map(({name, health}) => reasonOf(name, health));
  const cards = queries.map((query, index) => ({query, level: levels[index]}));
  reconcile(
    byId('queries'),
    cards,
    ({query}) => query.name,
    ({query}) => createCard(query),
    (card, {query, level}) => updateCard(card, query, level, query.name === selectedName),
  );
  const working = levels.filter((level) => level !== 'idle');
  updateVerdict(working.length ? worstLevel(working) : 'idle', reasons, queries);
}
