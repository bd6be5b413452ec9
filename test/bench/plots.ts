// SPDX-License-Identifier: Apache-2.0
// The plots, as SVG: how long single operations take, and throughput against the size of messages.

import { LineChart } from 'echarts/charts';
import { GridComponent, LegendComponent, TitleComponent } from 'echarts/components';
import { type EChartsCoreOption, init, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import { isMeasured, type Measured, type Result } from './result.ts';
import type { Histogram } from './statistics.ts';

use([LineChart, GridComponent, LegendComponent, TitleComponent, SVGRenderer]);

const widthPx = 860;
const heightPx = 460;
const binsAnOctave = 6;
const goalBytes = 496;
const colours = ['#0060a8', '#b04000', '#00804a', '#7a3fa0', '#946800', '#505860'];

interface Curve {
  readonly name: string;
  readonly isReference: boolean;
  readonly points: readonly (readonly [number, number])[];
}

/** What a row's own curve and that of its reference are called. */
const names: Readonly<Record<string, readonly [mine: string, reference: string]>> = {
  bus_send_sync: ['Endpoint.Send', 'C sd-bus service'],
  bus_send_pipelined: ['Endpoint.Send, 64 in flight', 'C service, 64 in flight'],
  bus_signal: ['MessageReceived', "C service's signals"],
  stream_tx: ['stream, host to remote', 'in-process host, to remote'],
  stream_rx: ['stream, remote to host', 'in-process host, from remote'],
  stream_rtt: ['stream, round trip', 'bare relay, round trip'],
};

/** Logarithmic bins: [middle, percent of all that fell into it]. */
function binned(histogram: Histogram): (readonly [number, number])[] {
  const bins = new Map<number, number>();
  let total = 0;
  for (const [us, times] of histogram) {
    const bin = Math.floor(Math.log2(Math.max(us, 0.5)) * binsAnOctave);
    bins.set(bin, (bins.get(bin) ?? 0) + times);
    total += times;
  }
  const [least, greatest] = [Math.min(...bins.keys()), Math.max(...bins.keys())];
  const points: (readonly [number, number])[] = [];
  for (let bin = least - 1; bin <= greatest + 1; bin++) {
    const middle = 2 ** ((bin + 0.5) / binsAnOctave);
    points.push([Number(middle.toFixed(2)), (100 * (bins.get(bin) ?? 0)) / total]);
  }
  return points;
}

function curves(
  results: readonly Result[],
  pointsOf: (row: Measured) => readonly (readonly (readonly [number, number])[])[],
): Curve[] {
  return results.filter(isMeasured).flatMap((row) => {
    const [mine, reference] = names[row.name] ?? [];
    const [points, referencePoints] = pointsOf(row);
    if (mine === undefined || points === undefined) return [];
    const own = { name: mine, isReference: false, points };
    if (reference === undefined || referencePoints === undefined) return [own];
    return [own, { name: reference, isReference: true, points: referencePoints }];
  });
}

function series({ name, isReference, points }: Curve, index: number, isStepped: boolean) {
  const color = colours[(index >> 1) % colours.length];
  return {
    type: 'line',
    name,
    data: points,
    showSymbol: !isStepped,
    ...(isStepped ? { step: 'middle' } : {}),
    symbolSize: 6,
    lineStyle: { color, width: 2, type: isReference ? 'dashed' : 'solid' },
    itemStyle: { color },
  };
}

function draw(title: string, shown: readonly Curve[], isStepped: boolean, axes: object): string {
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: widthPx, height: heightPx });
  const option: EChartsCoreOption = {
    animation: false,
    backgroundColor: '#ffffff',
    title: { text: title, left: 'center', textStyle: { fontSize: 15 } },
    legend: { bottom: 0, itemWidth: 40, itemGap: 20, data: shown.map(({ name }) => name) },
    grid: { left: 80, right: 30, top: 45, bottom: 130 },
    series: shown.map((curve, index) => series(curve, index, isStepped)),
    ...axes,
  };
  chart.setOption(option);
  const svg = chart.renderToSVGString();
  chart.dispose();
  return `${svg}\n`;
}

function axis(name: string, type: 'value' | 'log', more: object = {}): object {
  return { type, name, nameLocation: 'middle', ...more };
}

/** Solid: the daemon, dashed: what it is held against. */
export function drawLatencies(results: readonly Result[]): string {
  const shown = curves(results, ({ name, latencies }) =>
    latencies === null || name === 'bus_send_pipelined'
      ? []
      : [binned(latencies.values), binned(latencies.references)],
  );
  return draw(`Latency of single operations, ${goalBytes} B`, shown, true, {
    xAxis: axis('microseconds', 'log', { nameGap: 28 }),
    yAxis: axis('% of all', 'value', { nameGap: 40 }),
  });
}

export function drawThroughput(results: readonly Result[]): string {
  const shown = curves(results, (row) => {
    if (!row.unit.endsWith('/s') || row.name === 'bus_send_sync') return [];
    const all = [...row.beside, { ...row, sizeBytes: goalBytes }];
    const sized = all.flatMap(({ sizeBytes, value, reference }) =>
      sizeBytes === null || reference === null ? [] : [{ sizeBytes, value, reference }],
    );
    sized.sort((a, b) => a.sizeBytes - b.sizeBytes);
    const points = (key: 'value' | 'reference') =>
      sized.map((each) => [each.sizeBytes, Math.round(each[key])] as const);
    return [points('value'), points('reference')];
  });
  return draw('Throughput against size', shown, false, {
    xAxis: axis('bytes of payload a message', 'value', {
      nameGap: 28,
      min: 0,
      max: 512,
      interval: 64,
    }),
    yAxis: axis('messages a second', 'log', { nameGap: 60 }),
  });
}
