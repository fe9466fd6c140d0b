/* main.js: asks the program for what is new every second, and shows it. In the background it asks
 * less often: the tab's title and icon stay true. */
'use strict';

const POLL_MS = 1000;
const POLL_LOST_MS = 2000;
const POLL_HIDDEN_MS = 10000;
const HISTORY_MS = 5000;
const BATCHES_AT_START = 200;

/* What is known of the running program; starts over when another process answers. */
const known = {
  start: null, // identifies the process
  answer: null, // the newest
  settings: null,
  queries: new Map(), // by name, see knownOf()
  selected: null,
};

function knownOf(name) {
  if (!known.queries.has(name))
    known.queries.set(name, {
      batches: [],
      rejects: null,
      schema: null,
      files: null,
      history: null,
      historyAt: -Infinity,
      historyMinutes: 0,
      detailsOf: '',
    });
  return known.queries.get(name);
}

const minutesShown = () => Number(document.querySelector('input[name=range]:checked').value);

function noteStart({startedAt, pid}) {
  const start = `${startedAt} ${pid}`;
  if (known.start === start) return;
  if (known.start !== null) announce('The program was restarted.');
  if (known.start === null && serverNow() - Date.parse(startedAt) < 20 * 60000)
    document.querySelector('input[name=range][value="15"]').checked = true;
  Object.assign(known, {start, settings: null});
  known.queries.clear();
  clearQuery();
}

/* The query that the address names, else the first. */
function selectQuery(queries) {
  let wanted = '';
  try {
    wanted = decodeURIComponent(location.hash.slice(1));
  } catch {
    /* a mangled address names no query */
  }
  const query =
    queries.find(({name}) => name === wanted) ??
    queries.find(({name}) => name === known.selected) ??
    queries[0];
  if (query && query.name !== known.selected) {
    clearQuery();
    known.selected = query.name;
    knownOf(query.name).historyAt = -Infinity;
  }
  return query;
}

/* ---- requests ---- */

async function askBatches({name, newestBatch}) {
  const {batches} = knownOf(name);
  if (!newestBatch) return;
  const last = batches[batches.length - 1]?.batchId ?? newestBatch.batchId - BATCHES_AT_START;
  if (newestBatch.batchId <= last) return;
  const answer = await ask(pathOfQuery(name, `batches?after=${Math.max(-1, last)}`));
  batches.push(...answer.batches.filter(({batchId}) => batchId > last));
  batches.splice(0, batches.length - 1000);
}

async function askHistory({name}) {
  const one = knownOf(name),
    minutes = minutesShown();
  if (one.historyMinutes === minutes && performance.now() - one.historyAt < HISTORY_MS) return;
  one.history = await ask(pathOfQuery(name, `history?minutes=${minutes}`));
  Object.assign(one, {historyMinutes: minutes, historyAt: performance.now(), historyIsNew: true});
}

/* Without UI_TOKEN, other machines do not get the records: then the reason is shown instead. */
async function askRejects(name) {
  try {
    return await ask(pathOfQuery(name, 'rejects'));
  } catch (error) {
    if (error instanceof Refused) return {refused: error.message};
    throw error;
  }
}

async function askDetails({name, totals, care}) {
  const one = knownOf(name),
    version = JSON.stringify([totals, care.files, care.rejectFiles]);
  if (one.detailsOf === version) return;
  [one.rejects, one.schema, one.files] = await Promise.all([
    askRejects(name),
    ...['schema', 'files'].map((part) => ask(pathOfQuery(name, part))),
  ]);
  one.detailsOf = version;
}

async function askAll() {
  const answer = await ask('api/v1/queries');
  connection.clockOffset = Date.parse(answer.program.now) - Date.now();
  noteStart(answer.program);
  const selected = selectQuery(answer.queries);
  const wanted = answer.queries.map(askBatches);
  if (selected) wanted.push(askHistory(selected), askDetails(selected));
  if (!known.settings)
    wanted.push(
      ask('api/v1/settings').then((settings) => {
        known.settings = settings;
        updateSettings(settings);
      }),
    );
  await Promise.all(wanted);
  return {answer, selected};
}

/* ---- showing the answers ---- */

function showAll({answer, selected}) {
  known.answer = answer;
  byId('content').hidden = false;
  updateOverview(answer, selected?.name);
  updateProgram(answer);
  byId('detail').hidden = !selected;
  if (!selected) return;
  const one = knownOf(selected.name);
  updateQuery(selected, one);
  updateCare(selected, one.files);
  if (one.historyIsNew) updateCharts(one.history, one.historyMinutes, answer.program);
  one.historyIsNew = false;
}

/* ---- the loop ---- */

let wake = null;

/* Polls now. */
function wakeUp() {
  wake?.();
}

function pause(ms) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    wake = () => {
      clearTimeout(timer);
      resolve();
    };
  });
}

function showDisconnected(reason) {
  showLost(reason);
  if (known.answer) showCards(known.answer.queries, known.selected);
}

/* Polls once; how long to wait before the next time. */
async function look() {
  try {
    const told = await askAll();
    showAnswered();
    showAll(told);
    return POLL_MS;
  } catch (error) {
    if (error instanceof TokenNeeded) {
      await askForToken(error.message);
      return 0;
    }
    // A bug in this page must not look like a program that makes no progress.
    const isExpected = error instanceof NotAnswered || error instanceof Refused;
    if (!isExpected) console.error(error);
    showDisconnected(isExpected ? error.message : `Bug in this page: ${error}.`);
    return POLL_LOST_MS;
  }
}

async function run() {
  for (;;) {
    const ms = await look();
    await pause(document.hidden ? Math.max(ms, POLL_HIDDEN_MS) : ms);
  }
}

function showZone() {
  const {timeZone} = Intl.DateTimeFormat().resolvedOptions();
  setText(byId('zone'), `in your browser’s time zone, ${timeZone}`);
}

createCharts();
createQueryTables();
createCareTables();
createProgramTables();
showZone();
window.addEventListener('hashchange', wakeUp);
document.addEventListener('visibilitychange', wakeUp);
byId('token-form').addEventListener('submit', takeToken);
byId('range').addEventListener('change', wakeUp);
byId('numbers').addEventListener('toggle', () => {
  for (const one of known.queries.values()) one.historyIsNew = one.history !== null;
  wakeUp();
});
run();
