/* program.js: memory and settings of the whole process. */
'use strict';

const MEMORY_COLORS = [
  '--series-blue',
  '--series-green',
  '--series-purple',
  '--series-vermilion',
  '--stage-fetch',
  '--stage-write',
  '--stage-encode',
];

const programTables = {};
let allSettings = [];

/* A name that may be broken after an underscore, and is copied as it is. */
function breakable(name) {
  return name.split(/(?<=_)/).flatMap((part) => [part, make('wbr')]);
}

function createProgramTables() {
  programTables.memory = new LiveTable(byId('memory'), {
    caption: 'Memory by part',
    columns: [
      {
        title: 'Part',
        node: () =>
          make('span', {}, make('span', {class: 'swatch', 'aria-hidden': 'true'}), make('span')),
        refresh: (node, {name, color}) => {
          node.firstChild.style.background = color;
          setText(node.lastChild, name);
        },
      },
      {title: 'Bytes', numeric: true, text: ({bytes}) => formatBytes(bytes)},
      {
        title: 'Of the budget',
        numeric: true,
        text: ({bytes, budget}) => formatShare(bytes, budget),
      },
    ],
    key: ({name}) => name,
    empty: '',
  });
  programTables.settings = new LiveTable(byId('settings'), {
    caption: 'Settings in force',
    columns: [
      {title: 'Setting', wrap: true, node: ({name}) => make('span', {}, ...breakable(name))},
      {
        title: 'Value',
        wrap: true,
        text: ({value}) => (value === null || value === '' ? NOTHING : String(value)),
      },
      {title: 'From', text: ({origin}) => origin},
      {
        title: 'What it does',
        wrap: true,
        minor: true,
        text: ({doc}) => doc.replaceAll('`', ''),
      },
    ],
    key: ({name}) => name,
    mark: ({origin}) => (origin === 'default' ? null : 'set'),
    empty: 'No setting is like that.',
  });
  byId('settings-set').addEventListener('change', filterSettings);
  byId('settings-find').addEventListener('input', filterSettings);
}

function updateMemory({budgetBytes, residentBytes, parts}) {
  setText(
    byId('memory-summary'),
    `${formatBytes(residentBytes)} resident of ${formatBytes(budgetBytes)} ` +
      `(${formatShare(residentBytes, budgetBytes)}), SPARK_DRIVER_MEMORY`,
  );
  const named = parts.reduce((sum, part) => sum + part.bytes, 0);
  const all = parts.map((part, index) => ({
    ...part,
    color: `var(${MEMORY_COLORS[index % MEMORY_COLORS.length]})`,
  }));
  if (residentBytes > named)
    all.push({name: 'all else', bytes: residentBytes - named, color: 'var(--muted)'});
  const most = Math.max(budgetBytes, named, 1);
  reconcile(
    byId('memory-bar'),
    all,
    ({name}) => name,
    () => make('span'),
    (node, {bytes, color}) => {
      node.style.width = `${(100 * bytes) / most}%`;
      node.style.background = color;
    },
  );
  setAttribute(byId('memory-bar'), 'aria-label', byId('memory-summary').textContent);
  programTables.memory.update(all.map((part) => ({...part, budget: budgetBytes})));
}

// Where the queries are computed, if not in this process.
function formatEngine({engine, master}) {
  return engine === 'native' ? '' : `queries run by Spark on ${master}, `;
}

function updateProgram({program, memory}) {
  setText(
    byId('program-summary'),
    `esports-stream ${program.version}, process ${program.pid}, ` +
      `${formatEngine(program)}${formatCounted(program.workers, 'worker')}, started ${formatMoment(program.startedAt)}, ` +
      `${formatAge(serverNow() - Date.parse(program.startedAt))} ago`,
  );
  updateMemory(memory);
}

function updateSettings(all) {
  allSettings = all;
  filterSettings();
}

function filterSettings() {
  const wanted = byId('settings-find').value.trim().toLowerCase();
  const onlySet = byId('settings-set').checked;
  const found = allSettings.filter(
    ({name, value, doc, origin}) =>
      (!onlySet || origin !== 'default') &&
      `${name} ${value} ${doc}`.toLowerCase().includes(wanted),
  );
  programTables.settings.update(found);
  const set = allSettings.filter(({origin}) => origin !== 'default').length;
  setText(
    byId('settings-summary'),
    `${formatCount(found.length)} of ${formatCount(allSettings.length)} shown, ` +
      `${formatCount(set)} set; secrets are hidden.`,
  );
}
