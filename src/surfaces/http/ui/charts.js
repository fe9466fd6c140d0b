/* charts.js: the history over time. All charts share one time axis and one cursor. */
'use strict';

const STAGES = ['plan', 'fetch', 'decode', 'derive', 'encode', 'write', 'commit'];

/* Y axes: how a value is written, and whether small ones are distinguished. */
const UNITS = {
  rate: {text: formatRate, axis: (value) => `${formatBrief(value)}/s`},
  count: {text: formatCount, axis: formatBrief, whole: true},
  duration: {text: formatDuration, axis: formatDuration},
};

/* `value` takes a point of the history; null where there was nothing to measure. Where nothing came
 * for long, what came in was nothing. */
const perBatch = (value) => (point) => (point.batches > 0 ? value(point) : null);
const zeroIfIdle = (value) => (point) => (point.isIdle ? 0 : perBatch(value)(point));
const BRIDGED_S = 60;
const CHARTS = [
  {
    id: 'input-rate',
    title: 'Input rate',
    unit: 'rate',
    about: 'incoming records per second',
    type: 'line',
    series: [
      {name: 'input', color: '--series-blue', value: zeroIfIdle((point) => point.inputRate)},
    ],
  },
  {
    id: 'process-rate',
    title: 'Capacity',
    unit: 'rate',
    about: 'records per second of batch time',
    type: 'line',
    series: [
      {
        name: 'capacity',
        color: '--series-green',
        value: perBatch((point) => point.processRate),
      },
    ],
  },
  {
    id: 'lag',
    title: 'Lag',
    unit: 'count',
    about: 'records not committed, after each batch',
    type: 'line',
    series: [
      {
        name: 'lag',
        color: '--series-vermilion',
        value: perBatch((point) => point.lagAfter),
      },
    ],
  },
  {
    id: 'input-rows',
    title: 'Input rows',
    unit: 'count',
    about: 'rows and rejects per step',
    type: 'bar',
    series: [
      {name: 'records', color: '--series-blue', value: inputRecords},
    ],
  },
  {
    id: 'batch-duration',
    title: 'Batch duration',
    unit: 'duration',
    about: 'mean per step',
    type: 'bar',
    series: [
      {
        name: 'batch',
        color: '--series-purple',
        value: perBatch((point) => point.durationMs.total),
      },
    ],
  },
  {
    id: 'operation-duration',
    title: 'Operation duration',
    unit: 'duration',
    about: 'mean time per stage',
    type: 'bar',
    stacked: true,
    series: STAGES.map((stage) => ({
      name: stage,
      color: `--stage-${stage}`,
      value: perBatch((point) => point.durationMs[stage]),
    })),
  },
];

/* Steps without a batch are common where batches are rarer than steps: lines continue over them.
 * Longer than that, the query was idle. Says how long is longer. */
function markIdle({points, stepSeconds}) {
  const times = points.filter(({batches}) => batches > 0).map(({t}) => t);
  const gaps = times
    .slice(1)
    .map((t, index) => t - times[index])
    .sort((a, b) => a - b);
  const bridge = Math.max(BRIDGED_S, 2 * stepSeconds, 2 * (gaps[gaps.length >> 1] ?? 0));
  const now = serverNow() / 1000;
  for (const point of points) {
    const after = times.find((t) => t > point.t) ?? now; // its batch may be still to come
    const before = times.findLast((t) => t < point.t) ?? -Infinity;
    point.isIdle = point.batches === 0 && after - before > bridge;
  }
  return bridge;
}

const NICE_STEPS_S = [10, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 14400, 21600];

/* Times of the axis' labels: round ones of the reader's clock, not more than fit. */
function timeTicks(from, to, most) {
  const step = NICE_STEPS_S.find((one) => (to - from) / one <= most) ?? 43200;
  const zone = new Date(to * 1000).getTimezoneOffset() * 60;
  const ticks = [];
  for (let at = Math.ceil((from - zone) / step) * step + zone; at <= to; at += step)
    ticks.push({value: at});
  return ticks;
}

/* A line has no points, but one that is alone would not be seen. */
function radiusOfPoint({dataset, dataIndex}) {
  const alone = (neighbour) => isMissing(dataset.data[neighbour]?.y);
  return alone(dataIndex - 1) && alone(dataIndex + 1) ? 2 : 0;
}

function cssColor(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/* ---- one cursor in all charts ---- */

const cursor = {time: null};

const cursorPlugin = {
  id: 'cursor',
  afterEvent(chart, {event}) {
    const inside = event.type !== 'mouseout' && chart.isPointInArea(event);
    const time = inside ? chart.scales.x.getValueForPixel(event.x) : null;
    if (time === cursor.time) return;
    cursor.time = time;
    for (const one of timeCharts) one.chart.draw();
  },
  afterDatasetsDraw(chart) {
    const {ctx, chartArea, scales} = chart;
    if (cursor.time === null || cursor.time < scales.x.min || cursor.time > scales.x.max) return;
    const x = scales.x.getPixelForValue(cursor.time);
    ctx.save();
    ctx.strokeStyle = cssColor('--muted');
    ctx.setLineDash([3, 3]);
    ctx.beginPath();
    ctx.moveTo(x, chartArea.top);
    ctx.lineTo(x, chartArea.bottom);
    ctx.stroke();
    ctx.restore();
  },
};

/* ---- one chart ---- */

class TimeChart {
  constructor(parent, spec) {
    this.spec = spec;
    this.values = make('span', {class: 'values'});
    this.canvas = make('canvas', {role: 'img'});
    this.legend = make('ul', {class: 'legend'});
    const caption = make(
      'figcaption',
      {},
      make('strong', {}, spec.title),
      ' ',
      make('span', {class: 'about muted'}, spec.about),
    );
    parent.append(
      make(
        'figure',
        {class: 'card', id: `chart-${spec.id}`},
        caption,
        make('div', {class: 'plot'}, this.canvas),
        make('div', {class: 'foot'}, spec.stacked ? this.legend : this.values),
      ),
    );
    this.chart = new Chart(this.canvas, this.configuration());
  }

  configuration() {
    const {type, stacked, series} = this.spec;
    const unit = UNITS[this.spec.unit];
    const line = {borderWidth: 1.5, pointRadius: radiusOfPoint, pointHitRadius: 6, fill: true};
    const bar = {
      borderWidth: 0,
      barPercentage: 1,
      categoryPercentage: 0.9,
      minBarLength: stacked ? 0 : 1,
    };
    return {
      type,
      data: {
        datasets: series.map(({name}) => ({
          label: name,
          data: [],
          ...(type === 'line' ? line : bar),
        })),
      },
      options: {
        animation: false,
        normalized: true,
        parsing: false,
        maintainAspectRatio: false,
        responsive: true,
        events: ['mousemove', 'mouseout', 'touchstart', 'touchmove'],
        interaction: {mode: 'index', intersect: false, axis: 'x'},
        layout: {padding: {top: 4, right: 4}},
        scales: {
          x: {
            type: 'linear',
            stacked,
            offset: false,
            grid: {drawOnChartArea: false},
            afterBuildTicks: (axis) => {
              axis.ticks = timeTicks(axis.min, axis.max, Math.max(2, Math.floor(axis.width / 70)));
            },
            ticks: {
              callback: (time) => formatClock(time * 1000, time % 60 !== 0),
              maxRotation: 0,
              autoSkip: false,
            },
          },
          y: {
            beginAtZero: true,
            stacked,
            grid: {},
            ticks: {
              callback: unit.axis,
              maxTicksLimit: 5,
              precision: unit.whole ? 0 : undefined,
            },
            suggestedMax: unit.whole ? 4 : undefined,
            afterFit: (axis) => {
              axis.width = 64; // of all charts: their times are one above the other
            },
          },
        },
        plugins: {
          legend: {display: false},
          tooltip: {
            animation: false,
            itemSort: (a, b) => b.datasetIndex - a.datasetIndex,
            callbacks: {
              title: (items) => (items.length ? formatMoment(items[0].parsed.x * 1000) : ''),
              label: (item) => `${item.dataset.label} ${unit.text(item.parsed.y)}`,
            },
          },
        },
      },
      plugins: [cursorPlugin],
    };
  }

  /* Colours are the style sheet's, for both themes. */
  paint() {
    const {options, data} = this.chart;
    data.datasets.forEach((dataset, index) => {
      const color = cssColor(this.spec.series[index].color);
      dataset.borderColor = color;
      dataset.backgroundColor = this.spec.type === 'line' ? `${color}33` : color;
    });
    for (const scale of [options.scales.x, options.scales.y]) {
      scale.ticks.color = cssColor('--muted');
      scale.grid.color = cssColor('--line');
      scale.grid.borderColor = cssColor('--line');
    }
    this.chart.update('none');
  }

  update(history, bridge, {from, to, span}) {
    const points = history.points.filter((point) => point.t >= from && point.t <= to);
    const middle = this.spec.type === 'bar' ? history.stepSeconds / 2 : 0;
    this.spec.series.forEach(({value}, index) => {
      const dataset = this.chart.data.datasets[index];
      dataset.data = points.map((point) => ({x: point.t + middle, y: value(point)}));
      dataset.spanGaps = bridge;
    });
    this.chart.options.scales.x.min = from;
    this.chart.options.scales.x.max = to;
    this.chart.update('none');
    this.describe(points, span);
  }

  /* What the drawing says, in words: shown next to the title, and read out by screen readers. */
  describe(points, span) {
    const unit = UNITS[this.spec.unit];
    const sums = points
      .map((point) => {
        const values = this.spec.series
          .map(({value}) => value(point))
          .filter((value) => !isMissing(value));
        return values.length ? values.reduce((sum, value) => sum + value, 0) : null;
      })
      .filter((sum) => sum !== null);
    const mean = sums.reduce((sum, value) => sum + value, 0) / sums.length;
    const withBatch = points.filter(({batches}) => batches > 0);
    const isMeasured = ({value}) => withBatch.some((point) => !isMissing(value(point)));
    // Idle steps have no input, but say nothing about a batch whose rate is not known.
    const isKnown = withBatch.length === 0 || this.spec.series.some(isMeasured);
    const text = !isKnown
      ? 'not known yet: needs two batches'
      : sums.length
      ? `mean ${unit.text(mean)}, peak ${unit.text(Math.max(...sums))}`
      : 'nothing yet';
    setText(this.values, text);
    setAttribute(
      this.canvas,
      'aria-label',
      `${this.spec.title}, ${this.spec.about}, over ${span}: ${text}`,
    );
    if (this.spec.stacked) this.updateLegend(points);
  }

  updateLegend(points) {
    const unit = UNITS[this.spec.unit];
    reconcile(
      this.legend,
      this.spec.series,
      ({name}) => name,
      ({color}) => {
        const swatch = make('span', {class: 'swatch', 'aria-hidden': 'true'});
        swatch.style.background = `var(${color})`;
        return make('li', {}, swatch, make('span'));
      },
      (item, {name, value}) => {
        const values = points.map(value).filter((one) => !isMissing(one));
        const mean = values.reduce((sum, one) => sum + one, 0) / values.length;
        setText(item.lastChild, `${name} ${unit.text(values.length ? mean : null)}`);
      },
    );
  }
}

/* ---- all of them ---- */

const timeCharts = [];
let numbersTable = null;

function createCharts() {
  Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
  Chart.defaults.font.size = 11;
  for (const spec of CHARTS) timeCharts.push(new TimeChart(byId('charts'), spec));
  const columns = CHARTS.flatMap(({series, unit, title}) =>
    series.map(({name, value}) => ({
      title: series.length > 1 ? name : title,
      numeric: true,
      text: (point) => UNITS[unit].text(value(point)),
    })),
  );
  numbersTable = new LiveTable(byId('numbers-table'), {
    caption: 'The charts as a table, newest first',
    columns: [{title: 'From', text: (point) => formatMoment(point.t * 1000)}, ...columns],
    key: (point) => point.t,
    empty: 'No batch in this time.',
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', paintCharts);
  paintCharts();
}

function paintCharts() {
  timeCharts.forEach((one) => one.paint());
}

/* The last `minutes`, but not before the process started, because nothing is known of that time;
 * one minute at least. */
function timeWindow(minutes, stepSeconds, startedAt) {
  const now = Math.floor(serverNow() / 1000);
  const wanted = now - minutes * 60;
  const started = Math.floor(Date.parse(startedAt) / 1000 / stepSeconds) * stepSeconds;
  const begin = started > wanted ? `since the start at ${formatMoment(startedAt)}` : '';
  const from = Math.max(wanted, started);
  const hours = minutes / 60;
  const span = hours < 1 ? `${minutes} minutes` : `${hours} h`;
  return {from, to: Math.max(now, from + 60), begin, span: begin ? `${span}, ${begin}` : span};
}

function updateCharts(history, minutes, {startedAt}) {
  const shown = timeWindow(minutes, history.stepSeconds, startedAt);
  const bridge = markIdle(history);
  setText(byId('time-begin'), shown.begin);
  timeCharts.forEach((one) => one.update(history, bridge, shown));
  if (byId('numbers').open) {
    const points = history.points.filter((point) => point.t >= shown.from && point.batches > 0);
    numbersTable.update(points.reverse());
  }
}
