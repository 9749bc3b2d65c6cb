// How one number of a layer comes about, from the numbers before it.

import { windows } from "./network.js";

// For the number at `place` of map `channel`: the parts that are added up, each with its numbers.
export function arithmeticOf(layer, map, place, channel) {
  return HOW[layer.kind](layer, map, place, channel);
}

const HOW = {
  conv(layer, { inputs: [input], shape }, place, channel) {
    const [rows, columns, inGroup, filters] = layer.shape, channels = input.shape[2];
    const group = Math.floor(channel / (filters / layer.groups)), window = windowAt(layer, input.shape, [rows, columns], shape, place);
    const parts = Array.from({ length: inGroup }, (_, within) => {
      const from = group * inGroup + within;
      const inputs = window.places.map((at) => (at < 0 ? 0 : input.values[at * channels + from]));
      const weights = inputs.map((__, at) => layer.kernel[(at * inGroup + within) * filters + channel]);
      return { map: from, inputs, weights, sum: inputs.reduce((sum, value, at) => sum + value * weights[at], 0) };
    });
    return { kind: "conv", window, parts, bias: layer.bias[channel], rows, columns };
  },
  dense(layer, { inputs: [{ values }] }, place, channel) {
    const [length, units] = layer.shape, first = place * length;
    const parts = Array.from({ length }, (_, from) => ({ from, value: values[first + from], weight: layer.kernel[from * units + channel] }));
    for (const part of parts) part.sum = part.value * part.weight;
    return { kind: "dense", parts: parts.sort((a, b) => Math.abs(b.sum) - Math.abs(a.sum)), bias: layer.bias[channel] };
  },
  pool(layer, { inputs: [input], shape }, place, channel) {
    const size = layer.size ?? input.shape.slice(0, 2), how = layer.size ? layer : { strides: [1, 1], padding: "valid" };
    const window = windowAt(how, input.shape, size, layer.size ? shape : [1, 1], place), channels = input.shape[2];
    const inputs = window.places.map((at) => (at < 0 ? null : input.values[at * channels + channel]));
    return { kind: "pool", window, inputs, rows: size[0], columns: size[1], largest: layer.largest, channel };
  },
  scale(layer, { inputs: [{ values, shape }] }, place, channel) {
    const at = layer.mean.length > 1 ? channel : 0, value = values[place * shape.at(-1) + channel];
    return { kind: "scale", value, mean: layer.mean[at], spread: layer.spread[at], gamma: layer.gamma[at], beta: layer.beta[at] };
  },
  sum(layer, { inputs }, place, channel) {
    return { kind: "sum", mean: layer.mean, values: inputs.map(({ values, shape }) => values[place * shape.at(-1) + channel]) };
  },
  reshape(_, { sums, shape }, place, channel) {
    return { kind: "reshape", value: sums[place * shape.at(-1) + channel] };
  },
};

// The places of the input that the window of an output covers; -1 for those beyond the edge.
function windowAt(layer, [height, width], [rows, columns], shape, place) {
  const { top, left, down, across } = windows(layer, [height, width], [rows, columns]), wide = shape[1];
  const [y, x] = [Math.floor(place / wide) * down - top, (place % wide) * across - left];
  const places = Array.from({ length: rows * columns }, (_, at) => {
    const [row, column] = [y + Math.floor(at / columns), x + (at % columns)];
    return row < 0 || column < 0 || row >= height || column >= width ? -1 : row * width + column;
  });
  return { x, y, places };
}
