// A network that computes as Keras does: a picture in, every layer's maps out, and gradients back.

export class Network {
  constructor(described) {
    Object.assign(this, described);
    const bytes = Uint8Array.from(atob(described.weights), (letter) => letter.charCodeAt(0));
    const values = new Float32Array(bytes.buffer);
    let start = 0;
    this.layers = described.layers.map((layer) => {
      const weights = {}, shapes = layer.weights;
      for (const [name, shape] of Object.entries(shapes)) {
        weights[name] = values.subarray(start, (start += shape.reduce((size, side) => size * side, 1)));
      }
      return { ...layer, activation: layer.activation ?? "linear", ...weights, ...TYPES[layer.type](layer, weights, shapes) };
    });
  }

  get complete() { return !this.missing; }

  // What each layer gives: `sums` before its activation and `values` after it, as (height, width, channels). Maps of
  // `before` that nobody needs any more are written over: at each piece of a stroke, new ones would have to be cleared away.
  run(picture, before = []) {
    const maps = [];
    for (const [at, layer] of this.layers.entries()) {
      const inputs = layer.inputs.map((number) => maps[number] ?? picture);
      const { shape, sums } = KINDS[layer.kind].forward(layer, inputs, before[at]?.sums);
      maps.push({ shape, sums, values: activate(layer, sums, shape.at(-1), before[at]?.values), inputs });
    }
    return maps;
  }

  // How much each pixel of the picture would change the log-odds of a class, to first order.
  gradient(maps, chosen) {
    const slopes = maps.map((map) => new Float64Array(map.sums.length));
    const { values } = maps.at(-1), others = rest(values, chosen);
    for (const index of values.keys()) slopes.at(-1)[index] = index === chosen ? 1 / Math.max(values[index], LEAST) : -1 / others;
    const picture = new Float64Array(maps[0].inputs[0].values.length);
    for (let number = maps.length - 1; number >= 0; number--) {
      const layer = this.layers[number], map = maps[number];
      deactivate(layer, map, slopes[number]);
      const into = layer.inputs.map((from) => slopes[from] ?? picture);
      KINDS[layer.kind].backward(layer, map, slopes[number], into);
    }
    return picture;
  }

  // How much likelier a class is than all others together: log p / (1 - p), also where p is nearly 1.
  logOdds(maps, chosen) {
    const { values } = maps.at(-1);
    return Math.log(Math.max(values[chosen], LEAST)) - Math.log(rest(values, chosen));
  }

  // What the last dense layer sees: the digit as the network has come to know it.
  features(maps) {
    const dense = this.layers.findLast(({ kind }) => kind === "dense");
    return dense ? maps[this.layers.indexOf(dense)].inputs[0].values : maps.at(-1).values;
  }
}

// What each type of layer in Keras is here: one of six kinds, and what that needs to know.
const pooling = (largest) => ({ pool_size: size }) => ({ kind: "pool", largest, size });
const wholePooling = (largest) => ({ keepdims }) => ({ kind: "pool", largest, size: null, flat: !keepdims });
const activating = (activation, slope) => ({ kind: "reshape", activation, slope });
const asItIs = () => ({ kind: "reshape" });
const TYPES = {
  Conv2D: ({ activation }, { bias }, { kernel }) => ({ kind: "conv", shape: kernel, bias: bias ?? new Float32Array(kernel[3]), slope: SLOPES[activation] }),
  DepthwiseConv2D({ activation }, { bias }, { kernel: [rows, columns, channels, times] }) {
    const filters = channels * times;
    return { kind: "conv", shape: [rows, columns, 1, filters], groups: channels, bias: bias ?? new Float32Array(filters), slope: SLOPES[activation] };
  },
  Dense: ({ activation }, { bias }, { kernel }) => ({ kind: "dense", shape: kernel, bias: bias ?? new Float32Array(kernel[1]), slope: SLOPES[activation] }),
  Activation: ({ activation }) => ({ kind: "reshape", slope: SLOPES[activation] }),
  MaxPooling2D: pooling(true), AveragePooling2D: pooling(false),
  GlobalMaxPooling2D: wholePooling(true), GlobalAveragePooling2D: wholePooling(false),
  BatchNormalization({ epsilon }, { moving_mean: mean, moving_variance: variance, gamma, beta }) {
    const spread = Float64Array.from(variance, (one) => Math.sqrt(one + epsilon));
    return { kind: "scale", mean, spread, gamma: gamma ?? mean.map(() => 1), beta: beta ?? mean.map(() => 0) };
  },
  Rescaling: ({ scale, offset }) => ({ kind: "scale", mean: [0], spread: [1], gamma: [scale], beta: [offset] }),
  Add: () => ({ kind: "sum", mean: false }), Average: () => ({ kind: "sum", mean: true }),
  Flatten: () => ({ kind: "reshape", reshape: [-1] }), Reshape: ({ target_shape: reshape }) => ({ kind: "reshape", reshape }),
  ReLU: ({ negative_slope: slope }) => activating(slope ? "leaky_relu" : "relu", slope),
  LeakyReLU: ({ negative_slope: slope }) => activating("leaky_relu", slope),
  ELU: ({ alpha }) => activating("elu", alpha), Softmax: () => activating("softmax"),
  // These do nothing once a network is trained.
  ActivityRegularization: asItIs, AlphaDropout: asItIs, Dropout: asItIs, GaussianDropout: asItIs, GaussianNoise: asItIs,
  Identity: asItIs, SpatialDropout2D: asItIs,
};
const SLOPES = { leaky_relu: 0.2, elu: 1 }; // as Keras has them where nothing is said

// Probabilities are at least this, so that their logarithms are numbers.
const LEAST = 1e-30;
const rest = (values, chosen) => Math.max(values.reduce((sum, p, index) => sum + (index === chosen ? 0 : p), 0), LEAST);

// Where a window stands over its input, and how far beyond the edges it reaches.
export function windows(layer, [height, width], [rows, columns]) {
  const [down, across] = layer.strides;
  if (layer.padding === "valid") {
    return { high: Math.floor((height - rows) / down) + 1, wide: Math.floor((width - columns) / across) + 1, top: 0, left: 0, down, across };
  }
  const high = Math.ceil(height / down), wide = Math.ceil(width / across);
  const before = (count, stride, size, length) => Math.floor(Math.max((count - 1) * stride + size - length, 0) / 2);
  return { high, wide, top: before(high, down, rows, height), left: before(wide, across, columns, width), down, across };
}

const room = (Numbers, before, length) => (before?.length === length ? before : new Numbers(length));

// Numbers other than zero, and where their weights begin.
class Terms {
  constructor(most) { Object.assign(this, { values: new Float64Array(most + 3), places: new Int32Array(most + 3), count: 0 }); }

  add(value, place) {
    this.values[this.count] = value;
    this.places[this.count++] = place;
  }

  // Adds each number times its weights, of which there are `units`, to the sums from `out` on: four numbers at a time.
  into(sums, out, units, kernel) {
    const { values, places } = this, end = out + units;
    while (this.count % 4) this.add(0, 0);
    for (let at = 0; at < this.count; at += 4) {
      const a = values[at], b = values[at + 1], c = values[at + 2], d = values[at + 3];
      let e = places[at], f = places[at + 1], g = places[at + 2], h = places[at + 3];
      for (let unit = out; unit < end; unit++) sums[unit] += a * kernel[e++] + b * kernel[f++] + c * kernel[g++] + d * kernel[h++];
    }
    this.count = 0;
  }
}

// Calls `visit` with the place of each output and of each input that its window covers.
function slide(layer, [height, width], size, visit) {
  const { high, wide, top, left, down, across } = windows(layer, [height, width], size);
  for (let y = 0, to = 0; y < high; y++) {
    for (let x = 0; x < wide; x++, to++) {
      for (let row = 0; row < size[0]; row++) {
        const above = y * down - top + row;
        if (above < 0 || above >= height) continue;
        for (let column = 0; column < size[1]; column++) {
          const beside = x * across - left + column;
          if (beside >= 0 && beside < width) visit(to, above * width + beside, row * size[1] + column);
        }
      }
    }
  }
}

const poolSize = (layer, shape) => layer.size ?? shape.slice(0, 2);
const pooled = (layer, shape) => (layer.size ? layer : { strides: [1, 1], padding: "valid" });

const KINDS = {
  conv: {
    forward(layer, [{ shape, values }], before) {
      const [rows, columns, inGroup, filters] = layer.shape, [height, width, channels] = shape, { kernel, bias, groups } = layer;
      const { high, wide, top, left, down, across } = windows(layer, shape, [rows, columns]), outGroup = filters / groups;
      const sums = room(Float64Array, before, high * wide * filters), terms = new Terms(rows * columns * inGroup);
      for (let out = 0; out < sums.length; out += outGroup) {
        const to = Math.floor(out / filters), group = (out % filters) / outGroup;
        const y = Math.floor(to / wide) * down - top, x = (to % wide) * across - left;
        for (let row = Math.max(y, 0); row < Math.min(y + rows, height); row++) {
          for (let column = Math.max(x, 0); column < Math.min(x + columns, width); column++) {
            const from = (row * width + column) * channels + group * inGroup, weight = ((row - y) * columns + column - x) * inGroup * filters + group * outGroup;
            for (let channel = 0; channel < inGroup; channel++) {
              const value = values[from + channel];
              if (value !== 0) terms.add(value, weight + channel * filters);
            }
          }
        }
        for (let unit = 0; unit < outGroup; unit++) sums[out + unit] = bias[group * outGroup + unit];
        terms.into(sums, out, outGroup, kernel);
      }
      return { shape: [high, wide, filters], sums };
    },
    backward(layer, { inputs: [{ shape }] }, slope, [into]) {
      const [rows, columns, inGroup, filters] = layer.shape, channels = shape[2], outGroup = filters / layer.groups;
      slide(layer, shape, [rows, columns], (to, from, place) => {
        for (let channel = 0; channel < channels; channel++) {
          const group = (channel / inGroup) | 0, first = group * outGroup;
          let out = to * filters + first, weight = (place * inGroup + (channel - group * inGroup)) * filters + first, sum = 0;
          for (const end = out + outGroup; out < end; out++, weight++) sum += slope[out] * layer.kernel[weight];
          into[from * channels + channel] += sum;
        }
      });
    },
  },
  dense: {
    forward(layer, [{ shape, values }], before) {
      const [length, units] = layer.shape, { kernel, bias } = layer;
      const sums = room(Float64Array, before, (values.length / length) * units), terms = new Terms(length);
      for (let at = 0, from = 0; at < sums.length; at += units) {
        sums.set(bias, at);
        for (let input = 0; input < length; input++, from++) if (values[from] !== 0) terms.add(values[from], input * units);
        terms.into(sums, at, units, kernel);
      }
      return { shape: [...shape.slice(0, -1), units], sums };
    },
    backward(layer, _, slope, [into]) {
      const [length, units] = layer.shape;
      for (let input = 0; input < into.length; input++) {
        const at = Math.floor(input / length) * units, weight = (input % length) * units;
        for (let unit = 0; unit < units; unit++) into[input] += slope[at + unit] * layer.kernel[weight + unit];
      }
    },
  },
  pool: {
    forward(layer, [{ shape, values }], before) {
      const size = poolSize(layer, shape), how = pooled(layer, shape), channels = shape[2];
      const { high, wide } = windows(how, shape, size);
      const sums = room(Float64Array, before, high * wide * channels).fill(layer.largest ? -Infinity : 0);
      const counts = new Float64Array(high * wide);
      slide(how, shape, size, (to, from) => {
        counts[to] += 1;
        for (let channel = 0; channel < channels; channel++) {
          const value = values[from * channels + channel], out = to * channels + channel;
          if (!layer.largest) sums[out] += value;
          else if (value > sums[out]) sums[out] = value;
        }
      });
      if (!layer.largest) for (let out = 0; out < sums.length; out++) sums[out] /= counts[Math.floor(out / channels)];
      return { shape: layer.flat ? [channels] : [high, wide, channels], sums };
    },
    backward(layer, { inputs: [{ shape, values }], sums }, slope, [into]) {
      const size = poolSize(layer, shape), how = pooled(layer, shape), channels = shape[2];
      const counts = new Float64Array(slope.length / channels), taken = new Uint8Array(slope.length);
      if (!layer.largest) slide(how, shape, size, (to) => { counts[to] += 1; });
      slide(how, shape, size, (to, from) => {
        for (let channel = 0; channel < channels; channel++) {
          const at = from * channels + channel, out = to * channels + channel;
          if (!layer.largest) into[at] += slope[out] / counts[to];
          else if (!taken[out] && values[at] === sums[out]) {
            taken[out] = 1;
            into[at] += slope[out];
          }
        }
      });
    },
  },
  scale: {
    forward({ mean, spread, gamma, beta }, [{ shape, values }], before) {
      const sums = room(Float64Array, before, values.length), { length } = mean;
      for (let at = 0; at < values.length; at++) {
        const channel = at % length;
        sums[at] = ((values[at] - mean[channel]) / spread[channel]) * gamma[channel] + beta[channel];
      }
      return { shape, sums };
    },
    backward({ spread, gamma }, _, slope, [into]) {
      const { length } = spread;
      for (let at = 0; at < slope.length; at++) into[at] += (slope[at] * gamma[at % length]) / spread[at % length];
    },
  },
  sum: {
    forward(layer, inputs, before) {
      const share = layer.mean ? 1 / inputs.length : 1, [{ shape }] = inputs;
      const sums = room(Float64Array, before, inputs[0].values.length).fill(0);
      for (const { values } of inputs) for (let at = 0; at < sums.length; at++) sums[at] += values[at] * share;
      return { shape, sums };
    },
    backward(layer, _, slope, into) {
      const share = layer.mean ? 1 / into.length : 1;
      for (const one of into) for (let at = 0; at < slope.length; at++) one[at] += slope[at] * share;
    },
  },
  reshape: {
    forward({ reshape }, [{ shape, values }]) {
      if (!reshape) return { shape, sums: values };
      const known = reshape.reduce((size, side) => (side < 0 ? size : size * side), 1);
      return { shape: reshape.map((side) => (side < 0 ? values.length / known : side)), sums: values };
    },
    backward(_, __, slope, [into]) {
      for (let at = 0; at < slope.length; at++) into[at] += slope[at];
    },
  },
};

const sigmoid = (x) => 1 / (1 + Math.exp(-x));
// Each with its slope, from what goes in (x) and what comes out (y).
const ACTIVATIONS = {
  linear: [(x) => x, () => 1],
  relu: [(x) => Math.max(x, 0), (x) => Number(x > 0)],
  leaky_relu: [(x, slope) => (x > 0 ? x : slope * x), (x, _, slope) => (x > 0 ? 1 : slope)],
  elu: [(x, slope) => (x > 0 ? x : slope * Math.expm1(x)), (x, y, slope) => (x > 0 ? 1 : y + slope)],
  tanh: [Math.tanh, (_, y) => 1 - y * y],
  sigmoid: [sigmoid, (_, y) => y * (1 - y)],
  silu: [(x) => x * sigmoid(x), (x) => sigmoid(x) * (1 + x * (1 - sigmoid(x)))],
  softplus: [(x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))), (x) => sigmoid(x)],
};

function activate({ activation, slope, kind }, sums, classes, before) {
  if (activation === "linear" && kind === "reshape") return sums;
  const values = room(Float32Array, before, sums.length);
  if (activation === "softmax") {
    for (let at = 0; at < sums.length; at += classes) values.set(softmax(sums.subarray(at, at + classes)), at);
  } else if (activation === "linear") {
    values.set(sums);
  } else if (activation === "relu") {
    for (let at = 0; at < sums.length; at++) values[at] = sums[at] > 0 ? sums[at] : 0;
  } else {
    const [function_] = ACTIVATIONS[activation];
    for (let at = 0; at < sums.length; at++) values[at] = function_(sums[at], slope);
  }
  return values;
}

export function softmax(sums) {
  const top = sums.reduce((most, x) => Math.max(most, x), -Infinity), powers = sums.map((x) => Math.exp(x - top));
  const total = powers.reduce((sum, power) => sum + power, 0);
  return powers.map((power) => power / total);
}

// Turns the slope of what a layer gives into that of what goes into its activation.
function deactivate({ activation, slope: leak }, { sums, values, shape }, slope) {
  if (activation === "softmax") {
    const classes = shape.at(-1);
    for (let at = 0; at < slope.length; at += classes) {
      let mean = 0;
      for (let one = at; one < at + classes; one++) mean += slope[one] * values[one];
      for (let one = at; one < at + classes; one++) slope[one] = values[one] * (slope[one] - mean);
    }
    return;
  }
  const [, derivative] = ACTIVATIONS[activation];
  for (let at = 0; at < slope.length; at++) slope[at] *= derivative(sums[at], values[at], leak);
}
