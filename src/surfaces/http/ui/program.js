/* program.js: memory, disk space and settings of the whole process. */
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

/* A name that may wrap after an underscore, and can be copied unchanged. */
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
  programTables.disks = new LiveTable(byId('disks'), {
    caption: 'Disk space by file system',
    columns: [
      {title: 'Directory', wrap: true, text: ({path}) => path},
      {title: 'Free', numeric: true, text: ({freeBytes}) => formatBytes(freeBytes)},
      {title: 'Size', numeric: true, text: ({sizeBytes}) => formatBytes(sizeBytes)},
      {
        title: 'Free share',
        numeric: true,
        text: ({freeBytes, sizeBytes}) => formatShare(freeBytes, sizeBytes),
      },
    ],
    key: ({place}) => place,
    empty: '',
  });
  programTables.settings = new LiveTable(byId('settings'), {
    caption: 'Settings',
    columns: [
      {title: 'Setting', wrap: true, node: ({name}) => make('span', {}, ...breakable(name))},
      {
        title: 'Value',
        wrap: true,
        text: ({value}) => (value === null || value === '' ? NOTHING : String(value)),
      },
      {title: 'Set by', text: ({origin}) => origin},
      {
        title: 'Meaning',
        wrap: true,
        minor: true,
        text: ({doc}) => doc.replaceAll('`', ''),
      },
    ],
    key: ({name}) => name,
    mark: ({origin}) => (origin === 'default' ? null : 'set'),
    empty: '',
  });
  byId('settings-all').addEventListener('change', filterSettings);
  byId('settings-find').addEventListener('input', filterSettings);
}

function updateMemory({budgetBytes, residentBytes, parts}) {
  setText(
    byId('memory-summary'),
    `${formatBytes(residentBytes)} of ${formatBytes(budgetBytes)} used ` +
      `(${formatShare(residentBytes, budgetBytes)}); budget: SPARK_DRIVER_MEMORY`,
  );
  const named = parts.reduce((sum, part) => sum + part.bytes, 0);
  const all = parts.map((part, index) => ({
    ...part,
    color: `var(${MEMORY_COLORS[index % MEMORY_COLORS.length]})`,
  }));
  if (residentBytes > named)
    all.push({name: 'other', bytes: residentBytes - named, color: 'var(--muted)'});
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

/* Who runs the queries, if not this process. */
function formatEngine({engine, master}) {
  return engine === 'native' ? '' : `queries run on Spark at ${master}, `;
}

/* The file system that will be full first, of those that hold the lake. */
function updateDisks(disks) {
  const shareOf = ({freeBytes, sizeBytes}) => freeBytes / sizeBytes;
  const worst = [...disks].sort((a, b) => shareOf(a) - shareOf(b))[0];
  byId('disk-bar').hidden = !worst;
  programTables.disks.update(disks);
  if (!worst) {
    setText(
      byId('disk-summary'),
      'Unknown: the lake’s directory does not exist yet, or its disk does not answer.',
    );
    return;
  }
  const {path, freeBytes, sizeBytes} = worst;
  setText(
    byId('disk-summary'),
    `${formatBytes(freeBytes)} of ${formatBytes(sizeBytes)} free ` +
      `(${formatShare(freeBytes, sizeBytes)}) for ${path}`,
  );
  reconcile(
    byId('disk-bar'),
    [worst],
    () => 'used',
    () => make('span'),
    (node) => {
      node.style.width = `${100 * (1 - shareOf(worst))}%`;
      node.style.background = 'var(--series-blue)';
    },
  );
  setAttribute(byId('disk-bar'), 'aria-label', byId('disk-summary').textContent);
}

function updateProgram({program, memory, disks}) {
  setText(
    byId('program-summary'),
    `esports-stream ${program.version}, process ${program.pid}, ` +
      `${formatEngine(program)}${formatCounted(program.workers, 'worker')}, ` +
      `started ${formatMoment(program.startedAt)}, ` +
      `${formatAge(serverNow() - Date.parse(program.startedAt))} ago`,
  );
  updateMemory(memory);
  updateDisks(disks);
}

function updateSettings(all) {
  allSettings = all;
  filterSettings();
}

/* What was set; the defaults on request, or when a search finds them. */
function filterSettings() {
  const wanted = byId('settings-find').value.trim().toLowerCase();
  const all = byId('settings-all').checked || wanted !== '';
  const isSet = ({origin}) => origin !== 'default';
  const shown = allSettings.filter(
    (setting) =>
      (all || isSet(setting)) &&
      `${setting.name} ${setting.value} ${setting.doc}`.toLowerCase().includes(wanted),
  );
  programTables.settings.update(shown);
  setText(
    programTables.settings.empty,
    wanted === '' ? 'All settings have their defaults.' : 'No setting matches.',
  );
  const set = allSettings.filter(isSet).length;
  setText(
    byId('settings-summary'),
    `${formatCounted(set, 'setting')} set, ${formatCount(allSettings.length - set)} with their ` +
      `defaults; ${formatCount(shown.length)} shown. Secrets are hidden.`,
  );
}
