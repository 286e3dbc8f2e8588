/** One line over time, drawn by uPlot: gaps are shaded, and the cursors of all charts go together. */
import uPlot from 'uplot';
import { type Line, NICE_SECONDS, type Window } from './series.ts';
import { charted, isRate, type Kind, text, tick, tickSteps } from './volume.ts';

export interface Chart {
  /** Draws the line in this window of time. */
  show(line: Line, window: Window): void;
  /** Moves the cursor by points of the line; the first time to the last one. */
  step(points: number): void;
  leave(): void;
  /** After the colours changed. */
  redraw(): void;
  destroy(): void;
}

export interface ChartOptions {
  readonly kind: Kind;
  /** A point under the cursor, or none. */
  readonly onCursor: (point: { readonly at: number; readonly value: number } | undefined) => void;
}

const HEIGHT = 132;
const FONT = '11px system-ui, sans-serif';
const NOTHING: uPlot.AlignedData = [[], [], [], []];

const colour = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

export function createChart(parent: HTMLElement, { kind, onCursor }: ChartOptions): Chart {
  let window: Window = { start: 0, end: 1, period: 1 };
  let line: Line | undefined;
  const plot = new uPlot(
    {
      width: Math.max(parent.clientWidth, 100),
      height: HEIGHT,
      legend: { show: false },
      padding: [8, 26, 0, 0],
      cursor: { y: false, drag: { x: false, y: false }, sync: { key: 'time' }, points: { size: 7 } },
      scales: {
        x: { range: () => [window.start, window.end] },
        y: { range: (_, low, high) => yRange(low, high, kind) },
      },
      series: [
        {},
        { stroke: 'transparent', points: { show: false } },
        { stroke: 'transparent', points: { show: false } },
        { stroke: () => colour('--line'), width: 1.5, points: { size: 4, fill: () => colour('--line') } },
      ],
      bands: [{ series: [1, 2], fill: () => colour('--band') }],
      axes: [
        { ...axisStyle(), size: 24, space: 64, incrs: NICE_SECONDS, values: timeTicks },
        {
          ...axisStyle(),
          size: 72,
          space: 30,
          incrs: tickSteps(kind),
          values: (_, splits) => splits.map((value) => tick(value, kind)),
        },
      ],
      hooks: {
        drawAxes: [(self) => shadeGaps(self, line)],
        setCursor: [
          ({ cursor: { idx }, data }) => {
            const at = idx == null ? undefined : data[0][idx];
            const value = idx == null ? undefined : data[3]?.[idx];
            onCursor(at == null || value == null ? undefined : { at, value });
          },
        ],
      },
    },
    NOTHING,
    parent,
  );
  const resizes = new ResizeObserver(() => {
    if (parent.clientWidth > 0) plot.setSize({ width: parent.clientWidth, height: HEIGHT });
  });
  resizes.observe(parent);
  let index: number | undefined;

  return {
    show(next, during) {
      line = next;
      window = during;
      plot.setData([[...next.x], [...next.high], [...next.low], [...next.y]]);
    },
    step(points) {
      const values = line?.y ?? [];
      const direction = Math.sign(points) || -1;
      let to = index === undefined ? values.length - 1 : index + points;
      while (values[to] === null) to += direction;
      if (values[to] == null) return;
      index = to;
      plot.setCursor({ left: plot.valToPos(line?.x[to] ?? 0, 'x'), top: HEIGHT / 3 });
    },
    leave() {
      index = undefined;
      plot.setCursor({ left: -10, top: -10 });
    },
    redraw: () => plot.redraw(false),
    destroy() {
      resizes.disconnect();
      plot.destroy();
    },
  };
}

function axisStyle(): uPlot.Axis {
  return {
    font: FONT,
    stroke: () => colour('--muted'),
    grid: { stroke: () => colour('--grid'), width: 1 },
    ticks: { show: false },
    gap: 6,
  };
}

/** Rates and shares begin at 0, and so does what is near it; else the range of the values shows more. */
function yRange(low: number | null, high: number | null, kind: Kind): [number, number] {
  if (low === null || high === null) return [0, 1];
  const fromZero = low >= 0 && (isRate(kind) || kind.unit === '%' || low < high * 0.75);
  if (fromZero) return [0, high === 0 ? 1 : high * 1.1];
  const spread = Math.max((high - low) * 0.15, Math.abs(high) * 0.002, Number.MIN_VALUE * 8);
  return [low >= 0 ? Math.max(0, low - spread) : low - spread, high + spread];
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

function timeTicks(_plot: uPlot, splits: number[], _axis: number, _space: number, step: number): string[] {
  const two = (number: number) => String(number).padStart(2, '0');
  return splits.map((split) => {
    const date = new Date(split * 1000);
    const [hours, minutes, seconds] = [date.getHours(), date.getMinutes(), date.getSeconds()];
    if (step >= 86_400 || hours + minutes + seconds === 0) return `${date.getDate()} ${MONTHS[date.getMonth()]}`;
    return `${two(hours)}:${two(minutes)}${step < 60 ? `:${two(seconds)}` : ''}`;
  });
}

function shadeGaps(plot: uPlot, line: Line | undefined): void {
  const { ctx, bbox } = plot;
  const right = bbox.left + bbox.width;
  ctx.save();
  ctx.fillStyle = colour('--gap');
  for (const { from, to } of line?.gaps ?? []) {
    const begin = Math.max(bbox.left, plot.valToPos(from, 'x', true));
    const end = Math.min(right, plot.valToPos(to, 'x', true));
    if (end > begin) ctx.fillRect(begin, bbox.top, end - begin, bbox.height);
  }
  ctx.restore();
}

/** What the chart says, for those who do not see it. */
export function described(line: Line, kind: Kind, during: string): string {
  if (line.summary === undefined || line.last === undefined) return `no values in ${during}`;
  const { lowest, mean, highest } = line.summary;
  const gaps = line.gaps.length > 0 ? `, ${line.gaps.length} gaps` : '';
  const show = (value: number) => text(charted(value, kind));
  return `${isRate(kind) ? 'rate' : 'values'} in ${during}: last ${show(line.last.value)}, lowest ${show(lowest)}, mean ${show(mean)}, highest ${show(highest)}${gaps}. Left and right arrow keys read single values.`;
}
