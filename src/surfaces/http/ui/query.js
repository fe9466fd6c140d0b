/* query.js: the details of the selected query. */
'use strict';

/* How many rows of a long table are shown at first, and how many more at a time. */
const ROWS_AT_FIRST = {partitions: 12, batches: 10, samples: 10};
const ROWS_MORE = 50;

const tables = {};
const rowsShown = {...ROWS_AT_FIRST};

/* A button below a table that shows more rows while there are more. */
function addMoreButton(id, which) {
  byId(id).append(
    make(
      'button',
      {
        id: `${id}-more`,
        onclick: () => {
          rowsShown[which] += ROWS_MORE;
          wakeUp();
        },
      },
      'Show more',
    ),
  );
}

function updateMoreButton(id, which, count) {
  byId(`${id}-more`).hidden = count <= rowsShown[which];
}

const entriesOf = (byName) => Object.entries(byName ?? {}).sort((a, b) => b[1] - a[1]);

/* Names and counts in one line; only the number where the names are not known. */
function formatCounts(byName) {
  if (typeof byName === 'number') return formatCount(byName);
  const entries = entriesOf(byName);
  return entries.length
    ? entries.map(([name, count]) => `${name}${GAP}${formatCount(count)}`).join(', ')
    : 'none';
}

/* ---- lag ---- */

function createLagTable() {
  tables.lag = new LiveTable(byId('lag'), {
    caption: 'Lag by partition, largest first',
    columns: [
      {title: 'Partition', text: ({partition}) => String(partition)},
      {title: 'Lag', numeric: true, text: ({lag}) => formatCount(lag)},
      barColumn('Share', ({lag, worst}) => (worst ? lag / worst : 0)),
      {title: 'Position', numeric: true, text: ({position}) => formatCount(position)},
      {title: 'End offset', numeric: true, text: ({topicEnd}) => formatCount(topicEnd)},
    ],
    key: ({partition}) => partition,
    empty: 'The end offsets of the topic are not known yet.',
  });
  addMoreButton('lag', 'partitions');
}

/* Why, unless something is wrong with the query: then that is the reason. */
function unknownBecause({lag, health}) {
  return lag.unknownBecause && health.severity === 'none' ? `: ${lag.unknownBecause}` : '';
}

function updateLag(query) {
  const {lag} = query;
  const worst = lag.partitions[0]?.lag ?? 0;
  tables.lag.update(lag.partitions.slice(0, rowsShown.partitions).map((one) => ({...one, worst})));
  updateMoreButton('lag', 'partitions', lag.partitions.length);
  setText(
    byId('lag-summary'),
    isMissing(lag.records)
      ? `Unknown since ${formatMoment(lag.unknownSince)}${unknownBecause(query)}`
      : `${formatCounted(lag.records, 'record')} behind in ` +
          formatCounted(lag.partitions.length, 'partition'),
  );
}

/* ---- batches ---- */

function makeRanges({batchId, ranges, accepted}) {
  const place = make('div');
  const apart = accepted !== undefined; // records are counted apart from rows
  const number = (title, name) => ({
    title,
    numeric: true,
    text: (range) => formatCount(range[name]),
  });
  new LiveTable(place, {
    caption: `Offset ranges of batch #${batchId}`,
    columns: [
      {title: 'Partition', text: ({partition}) => String(partition)},
      number('From', 'start'),
      number('To (exclusive)', 'end'),
      ...(apart ? [number('Records', 'records')] : []),
      number('Rows', 'rows'),
      number('Rejects', 'rejects'),
      ...(apart ? [number('Empty', 'empty'), number('Filtered', 'filtered')] : []),
      number('Absent', 'absent'),
      number('Lost', 'lost'),
    ],
    key: ({partition}) => partition,
    empty: 'No offsets.',
  }).update(ranges);
  return place;
}

function makeBatchDetail(batch) {
  const {durationMs} = batch;
  const bar = make(
    'div',
    {class: 'bar thin', 'aria-hidden': 'true'},
    ...STAGES.map((stage) => {
      const part = make('span');
      part.style.width = `${(100 * durationMs[stage]) / (durationMs.total || 1)}%`;
      part.style.background = `var(--stage-${stage})`;
      return part;
    }),
  );
  return make(
    'div',
    {class: 'inside'},
    makeFacts([
      ['Planned', formatInstant(batch.timestamp)],
      ['Started', formatInstant(batch.startedAt)],
      ['Committed', formatInstant(batch.committedAt)],
      ['Input', `${formatBytes(batch.inputBytes)}, ${formatRate(batch.inputRowsPerSecond)}`],
      ['Capacity', formatRate(batch.processedRowsPerSecond)],
      ['Written', `${formatCounted(batch.files, 'file')}, ${formatBytes(batch.bytes)}`],
      ['Absent', formatCount(batch.absent)],
      ['Lost', formatCount(batch.lost)],
      ...(batch.accepted === undefined
        ? []
        : [
            ['Empty records', formatCount(batch.empty)],
            ['Filtered records', formatCount(batch.filtered)],
            ['Filtered rows', formatCount(batch.filteredRows)],
          ]),
      ['Oldest record', formatInstant(batch.oldestRecordAt)],
      ['Newest record', formatInstant(batch.newestRecordAt)],
      ['Lag after the batch', formatCount(batch.lagAfter)],
      ['Rejects', formatCounts(batch.rejectsByReason), true],
      ['Field faults', formatCounts(batch.fieldFaults), true],
      ['Unknown keys', formatCounts(batch.unknownKeys), true],
    ]),
    bar,
    makeFacts(STAGES.map((stage) => [stage, formatDuration(durationMs[stage])])),
    makeRanges(batch),
  );
}

function createBatchesTable() {
  tables.batches = new LiveTable(byId('batches'), {
    caption: 'Batches, newest first',
    columns: [
      {title: 'Batch', text: ({batchId}) => `#${batchId}`},
      {title: 'Committed', text: ({committedAt}) => formatMoment(committedAt)},
      {title: 'Rows', numeric: true, text: ({rows}) => formatCount(rows)},
      {title: 'Rejects', numeric: true, text: ({rejects}) => formatCount(rejects)},
      {
        title: 'Duration',
        numeric: true,
        text: ({durationMs}) => formatDuration(durationMs.total),
      },
      {
        title: 'Capacity',
        numeric: true,
        minor: true,
        text: (batch) => formatRate(batch.processedRowsPerSecond),
      },
      {title: 'Files', numeric: true, minor: true, text: ({files}) => formatCount(files)},
      {title: 'Written', numeric: true, minor: true, text: ({bytes}) => formatBytes(bytes)},
      {
        title: 'Lag after',
        numeric: true,
        minor: true,
        text: ({lagAfter}) => formatCount(lagAfter),
      },
    ],
    key: ({batchId}) => batchId,
    mark: ({lost, rejects}) => (lost > 0 ? 'bad' : rejects > 0 ? 'warn' : null),
    detail: makeBatchDetail,
    open: 'details',
    empty: 'No batch since the start.',
  });
  addMoreButton('batches', 'batches');
}

function updateBatches(batches, {totals, resumedAfter, newestBatch}) {
  tables.batches.update(batches.slice(-rowsShown.batches).reverse());
  updateMoreButton('batches', 'batches', batches.length);
  const sums = [
    formatCounted(totals.batches, 'batch', 'batches'),
    formatCounted(totals.rows, 'row'),
    formatCounted(totals.files, 'file'),
    formatBytes(totals.bytes),
    formatCounted(totals.absent, 'absent offset'),
    formatCounted(totals.lost, 'lost offset'),
    ...(totals.accepted === undefined
      ? []
      : [
          formatCounted(totals.empty, 'empty record'),
          formatCounted(totals.filtered, 'filtered record'),
        ]),
  ];
  const before =
    resumedAfter && !newestBatch
      ? ` From the checkpoint: batch #${resumedAfter.batchId}, committed ` +
        `${sinceText(resumedAfter.committedAt)}.`
      : '';
  setText(byId('batches-summary'), `Since the start: ${sums.join(', ')}.${before}`);
}

/* ---- rejects ---- */

function makeBytes({valueBase64, valueSize, position, partition, offset}) {
  if (isMissing(valueBase64)) return [make('p', {class: 'muted'}, 'The record’s value is null.')];
  const bytes = bytesOfBase64(valueBase64);
  const name = `Value of ${partition}:${offset}`;
  const text = make('pre', {
    class: 'bytes',
    tabindex: '0',
    role: 'region',
    'aria-label': `${name} as text`,
  });
  for (const piece of piecesOfBytes(bytes, position)) {
    const marked = piece.at === position;
    text.append(
      marked || piece.escaped
        ? make(marked ? 'mark' : 'span', {class: piece.escaped ? 'escape' : null}, piece.text)
        : piece.text,
    );
    if (piece.breaks) text.append('\n');
  }
  if (position === valueSize && bytes.length === valueSize) text.append(make('mark', {}, 'end'));
  const hex = make(
    'pre',
    {class: 'bytes', tabindex: '0', role: 'region', 'aria-label': `${name} as bytes`},
    hexOfBytes(bytes),
  );
  const cut =
    bytes.length < valueSize ? `, of which the first ${formatCount(bytes.length)} are shown` : '';
  return [
    make(
      'p',
      {class: 'muted'},
      `Value of ${formatCounted(valueSize, 'byte')}${cut}. ` +
        'Bytes that are not text are escaped. The byte with the error is marked.',
    ),
    text,
    make('details', {}, make('summary', {}, 'Hex dump'), hex),
  ];
}

function makeRejectDetail(reject) {
  return make(
    'div',
    {class: 'inside'},
    makeFacts([
      ['Topic', reject.topic],
      ['Partition:offset', `${reject.partition}:${reject.offset}`],
      ['Kafka timestamp', formatInstant(reject.kafkaTimestamp)],
      ['Processed', formatInstant(reject.processedAt)],
      ['Batch', `#${reject.batchId}`],
      ['Error at byte', formatCount(reject.position)],
    ]),
    make('p', {}, reject.detail),
    ...makeBytes(reject),
  );
}

const NO_RECORD = 'No record yet since the start.';

function createRejectTables() {
  tables.reasons = new LiveTable(byId('reject-reasons'), {
    caption: 'Rejects by reason, since the start',
    columns: [
      {title: 'Reason', text: ({reason}) => reason},
      {title: 'Rejects', numeric: true, text: ({count}) => formatCount(count)},
      barColumn('Share', ({count, most}) => count / most),
    ],
    key: ({reason}) => reason,
    empty: 'No record was rejected since the start.',
  });
  tables.rejects = new LiveTable(byId('rejects'), {
    caption: 'Rejects, newest first',
    columns: [
      {title: 'Record', text: ({partition, offset}) => `${partition}:${offset}`},
      {title: 'Processed', minor: true, text: ({processedAt}) => formatMoment(processedAt)},
      {title: 'Reason', text: ({reason}) => reason},
      {title: 'Bytes', numeric: true, text: ({valueSize}) => formatCount(valueSize)},
      {title: 'Detail', minor: true, wrap: true, text: ({detail}) => detail},
    ],
    key: ({partition, offset, batchId}) => `${batchId}:${partition}:${offset}`,
    detail: makeRejectDetail,
    open: 'bytes of the record',
    empty: '',
  });
  addMoreButton('rejects', 'samples');
}

function updateRejects({refused, byReason, samples}, {totals}) {
  if (refused) {
    setText(
      byId('rejects-summary'),
      `${formatCounted(totals.rejects, 'record')} since the start. Not shown here: ${refused}.`,
    );
    updateMoreButton('rejects', 'samples', 0);
    return;
  }
  const reasons = entriesOf(byReason).filter(([, count]) => count > 0);
  tables.reasons.update(reasons.map(([reason, count]) => ({reason, count, most: reasons[0][1]})));
  tables.rejects.update(samples.slice(0, rowsShown.samples));
  updateMoreButton('rejects', 'samples', samples.length);
  const all = inputRecords(totals);
  const where =
    samples.length > 0
      ? `The newest ${formatCount(samples.length)} are listed here; all are in the rejects table.`
      : 'All rejects are in the rejects table.';
  setText(
    byId('rejects-summary'),
    all === 0
      ? `${NO_RECORD} ${where}`
      : `${formatCounted(totals.rejects, 'record')} since the start, ` +
          `${formatShare(totals.rejects, all)} of all. ${where}`,
  );
}

/* ---- schema drift ---- */

function createDriftTables() {
  tables.faults = new LiveTable(byId('faults'), {
    caption: 'Field faults by column',
    columns: [
      {title: 'Column', text: ({name}) => name},
      {title: 'Type', text: ({type}) => type},
      {title: 'Field faults', numeric: true, text: ({faults}) => formatCount(faults)},
      barColumn('Share', ({faults, most}) => faults / most),
    ],
    key: ({name}) => name,
    empty: '',
  });
  tables.unknown = new LiveTable(byId('unknown'), {
    caption: 'Unknown keys',
    columns: [
      {title: 'Unknown key', wrap: true, text: ({name}) => name},
      {title: 'Count', numeric: true, text: ({count}) => formatCount(count)},
      barColumn('Share', ({count, most}) => count / most),
    ],
    key: ({name}) => name,
    empty: '',
  });
}

function updateDrift({columns, unknownKeys}, {totals}) {
  const faulty = columns.filter(({faults}) => faults > 0).sort((a, b) => b.faults - a.faults);
  const isNew = inputRecords(totals) === 0;
  tables.faults.update(faulty.map((column) => ({...column, most: faulty[0].faults})));
  setText(
    tables.faults.empty,
    isNew ? NO_RECORD : 'No field faults: every value had the type of its column.',
  );
  setText(tables.unknown.empty, isNew ? NO_RECORD : 'No unknown keys: every key is a column.');
  const byName = typeof unknownKeys === 'number' ? {'(names not known)': unknownKeys} : unknownKeys;
  const unknown = entriesOf(byName).filter(([, count]) => count > 0);
  tables.unknown.update(unknown.map(([name, count]) => ({name, count, most: unknown[0][1]})));
  const faults = columns.reduce((sum, column) => sum + column.faults, 0);
  setText(
    byId('drift-summary'),
    `Since the start: ${formatCounted(faults, 'value')} of the wrong type became null in ` +
      `${formatCount(faulty.length)} of ${formatCounted(columns.length, 'column')}; ` +
      `${formatCounted(
        unknown.reduce((sum, [, count]) => sum + count, 0),
        'value',
      )} had a key that is not a column.`,
  );
}

/* ---- files ---- */

function sizeColumn() {
  return {
    title: 'Size',
    text: ({upToBytes, above}) =>
      upToBytes === null ? `over ${formatBytes(above)}` : `up to ${formatBytes(upToBytes)}`,
  };
}

function createFilesTable() {
  tables.files = new LiveTable(byId('files'), {
    caption: 'Files written since the start, by size',
    columns: [
      sizeColumn(),
      {title: 'Files', numeric: true, text: ({files}) => formatCount(files)},
      barColumn('Share', ({files, most}) => (most ? files / most : 0)),
    ],
    key: ({upToBytes}) => upToBytes,
    empty: 'No files were written since the start.',
  });
}

function updateFiles({count, bytes, buckets, small}) {
  const most = Math.max(0, ...buckets.map(({files}) => files));
  const rows = buckets.map((bucket, index) => ({
    ...bucket,
    most,
    above: buckets[index - 1]?.upToBytes,
  }));
  tables.files.update(rows.slice(0, 1 + buckets.findLastIndex(({files}) => files > 0)));
  const few = `${formatCount(small.files)} (${formatShare(small.files, count)})`;
  const text = `${formatCounted(count, 'file')}, ${formatBytes(bytes)}; ${few} smaller than`;
  setText(byId('files-summary'), count ? `${text} ${formatBytes(small.belowBytes)}` : '');
}

/* ---- the whole query ---- */

function createQueryTables() {
  createLagTable();
  createBatchesTable();
  createRejectTables();
  createDriftTables();
  createFilesTable();
}

/* Before another query is shown. */
function clearQuery() {
  Object.assign(rowsShown, ROWS_AT_FIRST);
  Object.values(tables).forEach((table) => table.clear());
}

function updateQuery(query, {batches, rejects, schema, files}) {
  setText(byId('detail-title'), query.name);
  setText(byId('detail-route'), `${query.topic} → ${query.table}`);
  updateLag(query);
  updateBatches(batches, query);
  if (rejects) updateRejects(rejects, query);
  if (schema) updateDrift(schema, query);
  if (files) updateFiles(files);
}
