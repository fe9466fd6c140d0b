/* overview.js: is it healthy, and how far behind? One verdict over all queries, a card for each. */
'use strict';

const LEVELS = ['ok', 'idle', 'warn', 'bad']; // worse and worse
const LEVEL_WORDS = {ok: 'Healthy', idle: 'Quiet', warn: 'Needs watching', bad: 'Needs you'};
const STATE_LEVELS = {
  starting: 'idle',
  running: 'ok',
  waiting: 'ok',
  retrying: 'warn',
  failed: 'bad',
  stopped: 'idle',
};
const REJECT_SHARE_MAX = 0.1;
const BUDGET_SHARE_MAX = 0.9;

/* It was left further behind by each of the newest batches, and by more than one of them takes. */
function isFallingBehind(batches) {
  const [before, between, newest] = batches.slice(-3);
  return (
    Boolean(newest) &&
    before.lagAfter >= 0 &&
    before.lagAfter < between.lagAfter &&
    between.lagAfter < newest.lagAfter &&
    newest.lagAfter > newest.rows + newest.rejects
  );
}

/* What is wrong with a query, [{level, text}], the worst first. */
function faultsOfQuery(query, batches) {
  const faults = [];
  const newest = batches.slice(-10);
  const rows = newest.reduce((sum, batch) => sum + batch.rows, 0);
  const rejects = newest.reduce((sum, batch) => sum + batch.rejects, 0);
  const add = (level, text) => faults.push({level, text});
  if (query.state === 'failed') add('bad', `failed: ${query.lastError?.text ?? query.message}`);
  if (query.state === 'retrying')
    add('warn', `is trying again: ${query.lastError?.text ?? query.message}`);
  if (query.totals.lost > 0)
    add('warn', `lost ${formatCounted(query.totals.lost, 'offset')} that Kafka no longer had`);
  if (isFallingBehind(batches))
    add('warn', `is falling behind: ${formatCounted(query.lag.records, 'record')}, and growing`);
  if (rejects > REJECT_SHARE_MAX * (rows + rejects)) {
    const share = formatShare(rejects, rows + rejects);
    add('warn', `rejected ${share} of the records of its newest batches`);
  }
  return faults;
}

function levelOfQuery(query, faults) {
  return faults.length ? faults[0].level : (STATE_LEVELS[query.state] ?? 'idle');
}

function worstLevel(levels) {
  return LEVELS[Math.max(0, ...levels.map((level) => LEVELS.indexOf(level)))];
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
  ['In', ({newestBatch}) => formatRate(newestBatch?.inputRowsPerSecond)],
  ['Processed', ({newestBatch}) => formatRate(newestBatch?.processedRowsPerSecond)],
  ['Newest batch', newestText],
  ['It took', ({newestBatch}) => formatDuration(newestBatch?.durationMs.total)],
  ['Trigger', ({trigger}) => trigger],
  ['Rows', ({totals}) => formatCount(totals.rows)],
  ['Rejects', rejectsText],
  ['Lost', ({totals}) => formatCount(totals.lost)],
];

/* About how long the backlog takes, by what the newest batch did. */
function catchUpText({lag, newestBatch}) {
  const rate = newestBatch?.processedRowsPerSecond;
  if (lag.records === 0) return 'nothing to catch up on';
  if (isMissing(lag.records) || !rate) return '';
  const seconds = lag.records / rate;
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
  put('.state-word', query.state);
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
    behind === null ? 'lag not known yet' : `${formatCounted(behind, 'record')} behind`,
  );
  byId('reasons').hidden = reasons.length === 0;
  reconcile(
    byId('reasons'),
    reasons,
    ({text}) => text,
    ({text}) => make('li', {}, text),
    (item, {level: itsLevel}) => setAttribute(item, 'data-level', itsLevel),
  );
  showInTab(level, `${word} · ${formatBrief(behind)} behind · esports-stream`);

  const states = queries.map(({name, state}) =>
    WORKING.includes(state) ? `${name} works` : `${name}: ${state}`,
  );
  const verdict = `${word}. ${states.join(', ')}.`;
  if (announcedVerdict !== null && announcedVerdict !== verdict) announce(verdict);
  announcedVerdict = verdict;
}

function updateOverview(answer, batchesOf, selectedName) {
  const {queries, memory} = answer;
  const reasons = [];
  const levels = queries.map((query) => {
    const faults = faultsOfQuery(query, batchesOf(query.name));
    reasons.push(...faults.map(({level, text}) => ({level, text: `${query.name} ${text}`})));
    return levelOfQuery(query, faults);
  });
  if (memory.residentBytes > BUDGET_SHARE_MAX * memory.budgetBytes) {
    levels.push('warn');
    const [resident, budget] = [memory.residentBytes, memory.budgetBytes].map(formatBytes);
    reasons.push({level: 'warn', text: `Memory is near its budget: ${resident} of ${budget}`});
  }
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
