/* connection.js: sends requests to the program, notices when it does not answer, and asks for the
 * token. */
'use strict';

const ANSWER_TIMEOUT_MS = 5000;
const TOKEN_KEY = 'esports-stream-token';

class NotAnswered extends Error {}
class TokenNeeded extends Error {}
class Refused extends Error {}

const connection = {
  lostAt: null, // since when there is no answer; null while there is one
  answeredAt: null,
  clockOffset: 0, // milliseconds by which the program's clock is ahead of ours
};

/* By the program's clock: ages are computed with the time of the side that took the timestamps. */
function serverNow() {
  return Date.now() + connection.clockOffset;
}

/* Paths are relative to the page's own, so that a proxy may put it below another. */
async function ask(path) {
  const token = sessionStorage.getItem(TOKEN_KEY);
  const headers = token ? {Authorization: `Bearer ${token}`} : {};
  let response;
  try {
    const signal = AbortSignal.timeout(ANSWER_TIMEOUT_MS);
    response = await fetch(path, {headers, signal, cache: 'no-store', credentials: 'omit'});
    if (response.ok) return await response.json();
  } catch (error) {
    throw new NotAnswered(
      error.name === 'TimeoutError'
        ? `No answer within ${ANSWER_TIMEOUT_MS / 1000} s.`
        : 'The program cannot be reached.',
    );
  }
  if (response.status === 401) throw new TokenNeeded(token ? 'The program refused this token.' : '');
  if (response.status === 403) throw new Refused(await refusalOf(response));
  throw new NotAnswered(`The program answered ${response.status} to ${path}.`);
}

async function refusalOf(response) {
  try {
    return (await response.json()).error;
  } catch {
    return 'The program refused this request.';
  }
}

const pathOfQuery = (name, part) => `api/v1/queries/${encodeURIComponent(name)}/${part}`;

/* Resolves once the dialog is closed; without a token, the next answer opens it again. */
function askForToken(refused) {
  const dialog = byId('token-dialog');
  showVerdict('idle', 'Token required', '');
  setText(byId('token-refused'), refused);
  byId('token').value = '';
  dialog.showModal();
  return new Promise((resolve) => dialog.addEventListener('close', resolve, {once: true}));
}

function takeToken(event) {
  event.preventDefault();
  sessionStorage.setItem(TOKEN_KEY, byId('token').value.trim());
  byId('token-dialog').close();
}

/* ---- showing the connection ---- */

function announce(text) {
  setText(byId('announcement'), text);
}

function showAnswered() {
  const wasLost = connection.lostAt !== null;
  connection.lostAt = null;
  connection.answeredAt = Date.now();
  document.documentElement.classList.remove('stale');
  byId('lost').hidden = true;
  if (wasLost) announce('Connected again.');
  setAttribute(byId('link'), 'data-level', 'ok');
  setText(byId('link-text'), `live, ${formatClock(serverNow())}`);
}

/* The verdict is no longer known, so this one takes its place everywhere, the tab included. */
function showLost(reason) {
  const first = connection.lostAt === null;
  if (first) connection.lostAt = connection.answeredAt ?? Date.now();
  const since = formatClock(connection.lostAt + connection.clockOffset);
  const age = formatAge(Date.now() - connection.lostAt);
  document.documentElement.classList.add('stale');
  byId('lost').hidden = false;
  showVerdict('bad', 'Disconnected', `since ${since}`);
  if (first)
    setText(
      byId('lost-alert'),
      `Disconnected since ${since}.` +
        (connection.answeredAt ? ' All figures on this page are the last known ones.' : ''),
    );
  setText(
    byId('lost-detail'),
    `${reason} Retrying for ${age}. If this persists, check that the program is running and read ` +
      'its log.',
  );
  setAttribute(byId('link'), 'data-level', 'bad');
  setText(byId('link-text'), connection.answeredAt ? `figures as of ${since}` : 'no answer yet');
}
