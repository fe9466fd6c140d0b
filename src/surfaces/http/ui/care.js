/* care.js: all files of the selected query's table, and what is done about them: compaction, expiry,
 * and what other programs have changed. What is not known is called unknown. */
'use strict';

const UNKNOWN = 'unknown';
const AGE_NAMES = ['up to 1 hour', 'up to 1 day', 'up to 7 days', 'older'];

function createCareTables() {
  const numbers = [
    {title: 'Files', numeric: true, text: ({files}) => formatCount(files)},
    {title: 'Small', numeric: true, text: ({small}) => formatCount(small)},
    {title: 'Bytes', numeric: true, text: ({bytes}) => formatBytes(bytes)},
  ];
  tables.careSizes = new LiveTable(byId('care-sizes'), {
    caption: 'Files of the table, by size',
    columns: [sizeColumn(), numbers[0], barColumn('Share', ({files, most}) => files / most)],
    key: ({upToBytes}) => upToBytes,
    empty: '',
  });
  tables.careAges = new LiveTable(byId('care-ages'), {
    caption: 'Files of the table, by age',
    columns: [{title: 'Age', text: ({name}) => name}, ...numbers],
    key: ({name}) => name,
    empty: '',
  });
  tables.careDirectories = new LiveTable(byId('care-directories'), {
    caption: 'Directories with the most small files',
    columns: [
      {title: 'Directory', wrap: true, text: ({name}) => name || '(the table itself)'},
      ...numbers,
      barColumn('Share', ({small, most}) => (most ? small / most : 0)),
    ],
    key: ({name}) => name,
    empty: '',
  });
}

const gainText = ({filesBefore, filesAfter, bytesBefore, bytesAfter}) =>
  `${formatCounted(filesBefore, 'file')} (${formatBytes(bytesBefore)}) became ` +
  `${formatCount(filesAfter)} (${formatBytes(bytesAfter)})`;

function compactionText({compacts, busy, compactions}) {
  if (busy) return 'running now';
  if (!compacts && compactions.count === 0) return 'off (COMPACT)';
  return compacts ? 'on' : 'by command';
}

function newestCompactionText({newest}) {
  if (!newest) return 'none since the start';
  return (
    `${formatMoment(newest.at)}: ${gainText(newest)}, ` +
    `${formatCounted(newest.rows, 'row')}, in ${formatDuration(newest.durationMs)}`
  );
}

function expiryText({expires, expiries}) {
  if (!expires && expiries.count === 0) return 'off (RETENTION)';
  if (expiries.waitForClock) return `waits until the clock is believed: ${expiries.waitForClock}`;
  if (expiries.count === 0) return 'on; nothing has expired since the start';
  return (
    `${formatCounted(expiries.files, 'file')}, ${formatCounted(expiries.rows, 'row')} since the ` +
    `start, the newest at ${formatMoment(expiries.newestAt)}`
  );
}

function waitingText({waiting}) {
  if (!waiting) return UNKNOWN;
  const why = waiting.why ? `: ${waiting.why}` : '';
  return `${formatCounted(waiting.files, 'small file')}${why}`;
}

function forecastText({forecast, compacts}) {
  if (!forecast) return UNKNOWN;
  const {filesPerDay, filesPerDayAfterCompaction, rejectFilesPerDay, ofSeconds} = forecast;
  const after = compacts ? `, ${formatCount(filesPerDayAfterCompaction)} after compaction` : '';
  return (
    `${formatCounted(filesPerDay, 'file')} a day${after}; ` +
    `${formatCounted(rejectFilesPerDay, 'file')} of rejects ` +
    `(at the rate of the last ${formatAge(1000 * ofSeconds)})`
  );
}

const unknownOr = (count) => (isMissing(count) ? UNKNOWN : formatCount(count));

function careFacts({care, missingFiles, changedFiles}) {
  const {compacts, compactions, files, rejectFiles, nextLookAt} = care;
  return [
    ['Files', unknownOr(files?.files)],
    ['Small files', unknownOr(files?.small)],
    ['If compacted now', unknownOr(files?.afterCompaction)],
    ['Files of rejects', unknownOr(rejectFiles?.files)],
    ['Missing files', unknownOr(missingFiles)],
    ['Changed by others', unknownOr(changedFiles)],
    ['Compaction', compactionText(care)],
    ['Next look', nextLookAt ? formatMoment(nextLookAt) : NOTHING],
    ['Forecast', forecastText(care), true],
    ['Last compaction', newestCompactionText(compactions), true],
    ...(compactions.count > 1 ? [['Since the start', gainText(compactions), true]] : []),
    ...(compacts ? [['Waiting', waitingText(care), true]] : []),
    ['Expiry', expiryText(care), true],
  ];
}

function careSummary({files}) {
  if (!files) return 'Not counted yet since the start.';
  const {bytes, smallBelowBytes, countedAt, directories} = files;
  return (
    `${formatCounted(files.files, 'file')}, ${formatBytes(bytes)}, in ` +
    `${formatCounted(directories, 'directory', 'directories')}, counted at ` +
    `${formatMoment(countedAt)}. Small: below ${formatBytes(smallBelowBytes)}.`
  );
}

function careErrorText({error, unmergeable}) {
  const alone = unmergeable
    ? `${formatCounted(unmergeable, 'damaged file')} cannot be merged; the log says which. `
    : '';
  const failed = error ? `Last error, ${formatMoment(error.at)}: ${error.text}` : '';
  return alone + failed;
}

function updateCare(query, details) {
  const {care} = query;
  setText(byId('care-summary'), careSummary(care));
  byId('care-facts').replaceChildren(makeFacts(careFacts(query)));
  setText(byId('care-error'), careErrorText(care));
  byId('care-error').hidden = careErrorText(care) === '';
  const {bySize = [], byAge = [], byDirectory = []} = details?.table ?? {};
  const most = Math.max(1, ...bySize.map(({files}) => files));
  const sizes = bySize.map((one, index) => ({...one, most, above: bySize[index - 1]?.upToBytes}));
  tables.careSizes.update(sizes.slice(0, 1 + bySize.findLastIndex(({files}) => files > 0)));
  tables.careAges.update(byAge.map((one, index) => ({...one, name: AGE_NAMES[index]})));
  tables.careDirectories.update(byDirectory.map((one) => ({...one, most: byDirectory[0].small})));
}
