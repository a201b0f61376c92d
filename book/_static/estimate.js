/* The calculator of chapter 02: the formulas of flightline.estimate, in the page.
   No library, no network. tests/estimate/test_estimate_calculator.py compares it with the module. */
"use strict";

const flightlineEstimate = (() => {
  const FULLEST = 1 - 1e-6; /* a fuller queue never settles */

  function check(name, value, holds, rule) {
    if (!Number.isFinite(value) || !holds) {
      throw new RangeError(`${name} ${rule}.`);
    }
  }

  function positive(values) {
    for (const [name, value] of Object.entries(values)) {
      check(name, value, value > 0, "must be above zero");
    }
  }

  /* The root of a function that changes its sign once between low and high. */
  function root(f, low, high) {
    const sign = Math.sign(f(low));
    for (let k = 0; k < 200; k += 1) {
      const middle = (low + high) / 2;
      if (Math.sign(f(middle)) === sign) low = middle;
      else high = middle;
    }
    return (low + high) / 2;
  }

  function trainingDays(a) {
    positive({
      Parameters: a.params, Examples: a.examples, "Tokens per example": a.tokens,
      Epochs: a.epochs, Accelerators: a.accelerators, Peak: a.peakTflops,
    });
    check("MFU", a.mfu, a.mfu > 0 && a.mfu <= 1, "must be above 0 and at most 100%");
    check("Goodput", a.goodput, a.goodput > 0 && a.goodput <= 1, "must be above 0 and at most 100%");
    const work = 6 * a.params * a.examples * a.tokens * a.epochs;
    return work / (a.accelerators * a.peakTflops * 1e12 * a.mfu * a.goodput) / 86400;
  }

  function waitTail(wait, busy) {
    if (wait <= 8) {
      let sum = 0, factorial = 1;
      for (let k = 0; k <= Math.floor(wait); k += 1) {
        if (k > 0) factorial *= k;
        const u = busy * (k - wait);
        sum += u ** k / factorial * Math.exp(-u);
      }
      return Math.max(0, 1 - (1 - busy) * sum);
    }
    let high = 1;
    while (busy * Math.expm1(high) <= high) high *= 2;
    const decay = root((z) => busy * Math.expm1(z) / z - 1, 1e-9, high);
    return (1 - busy) / (busy * Math.exp(decay) - 1) * Math.exp(-decay * wait);
  }

  function allBusy(erlangs, servers) {
    let blocked = 1;
    for (let n = 1; n <= servers; n += 1) {
      blocked = erlangs * blocked / (n + erlangs * blocked);
    }
    return blocked / (1 - erlangs / servers * (1 - blocked));
  }

  function fillTail(t, qps, batch) {
    let chance = Math.exp(-qps * t), total = 0;
    for (let arrived = 0; arrived < batch - 1; arrived += 1) {
      total += (batch - 1 - arrived) * chance;
      chance *= qps * t / (arrived + 1);
    }
    return total / batch;
  }

  function batchTail(left, qps, service, batch) {
    const erlangs = qps * service;
    let high = 1;
    while (high <= batch * Math.log1p(high / erlangs)) high *= 2;
    const decay = root((z) => z - batch * Math.log1p(z / erlangs), 1e-9, high);
    let late = 0, before = 1, at = 0, last = 0;
    for (let k = 0; k <= 200; k += 1) {
      const edge = left * k / 200;
      const full = fillTail(edge, qps, batch);
      late += (before - full) * Math.exp(-decay * (left - (k === 0 ? 0 : (at + edge) / 2)) / service);
      [before, at, last] = [full, edge, full];
    }
    return last + allBusy(erlangs, batch) * late;
  }

  function responseTail(t, a) {
    const busy = a.qps * a.service / a.servers / a.batch;
    check("Utilisation", busy, busy <= FULLEST, "is not below 1, or so near that the queue never settles: add servers");
    const time = t / a.service;
    if (a.model === "M/M/1") return Math.exp(-(1 - busy) * time);
    if (a.model === "M/M/c") {
      const waits = allBusy(busy * a.servers, a.servers);
      const slack = a.servers * (1 - busy) - 1;
      const servedLate = Math.exp(-time);
      if (Math.abs(slack * time) < 1) {
        const gap = Math.abs(slack) < 1e-9 ? time : -Math.expm1(-slack * time) / slack;
        return servedLate * (1 + waits * gap);
      }
      return servedLate + waits * (servedLate - Math.exp(-(1 + slack) * time)) / slack;
    }
    if (time < 1) return 1;
    if (a.batch > 1) return batchTail(t - a.service, a.qps / a.servers, a.service, a.batch);
    return waitTail(time - 1, busy);
  }

  function responseSeconds(quantile, a) {
    const excess = (t) => responseTail(t, a) - (1 - quantile);
    let high = a.service;
    while (excess(high) > 0) high *= 2;
    if (high === a.service && a.model === "M/D/1") return a.service;
    return root(excess, high === a.service ? 0 : high / 2, high);
  }

  function fleetSize(a) {
    positive({ "Requests a second": a.qps, "Service time": a.service, Target: a.target });
    check("Quantile", a.quantile, a.quantile > 0 && a.quantile < 1, "must lie between 0 and 100%");
    check("Batch", a.batch, a.batch >= 1 && Number.isInteger(a.batch), "must be a whole number from 1");
    check("Spare servers", a.spare, a.spare >= 0 && Number.isInteger(a.spare), "must be a whole number from 0");
    check("Peak", a.peak, a.peak >= 1, "over average must be at least 1");
    check("Cache hits", a.hitRate, a.hitRate >= 0 && a.hitRate < 1, "must be from 0% to below 100%");
    if (a.batch > 1 && a.model !== "M/D/1") throw new RangeError("Batches need M/D/1.");
    const load = a.qps * a.peak * (1 - a.hitRate);
    const willDo = (servers) =>
      load * a.service / servers / a.batch <= FULLEST
      && responseTail(a.target, { ...a, qps: load, servers }) <= 1 - a.quantile;
    const start = Math.floor(load * a.service / a.batch) + 1;
    let found, stop;
    if (a.batch === 1) {
      stop = Math.ceil(load * a.service / (1 - a.quantile)) + 2;
      found = start;
      let high = stop;
      while (found < high) {
        const middle = Math.floor((found + high) / 2);
        if (willDo(middle)) high = middle;
        else found = middle + 1;
      }
    } else {
      stop = Math.ceil(2 * a.target * load / (a.batch - 1)) + 1;
      found = start;
      while (found < stop && !willDo(found)) found += 1;
    }
    if (found >= stop) throw new RangeError("Target: no number of servers will do.");
    return found + a.spare;
  }

  function costPerMillion(servers, usdPerHour, qps) {
    return servers * usdPerHour / (qps * 3600) * 1e6;
  }

  return { trainingDays, responseTail, responseSeconds, fleetSize, costPerMillion };
})();

/* The two forms. Each field: name, label, unit, value at the start, factor to the unit
   that the formulas take. */
(() => {
  const FORMS = {
    training: {
      title: "Training",
      fields: [
        ["params", "Parameters", "millions", 100, 1e6],
        ["examples", "Examples", "millions", 100, 1e6],
        ["tokens", "Tokens per example", "", 256, 1],
        ["epochs", "Epochs", "", 1, 1],
        ["accelerators", "Accelerators", "", 8, 1],
        ["peakTflops", "Peak of one", "TFLOP/s", 312, 1],
        ["mfuLow", "MFU, low", "%", 30, 0.01],
        ["mfuLikely", "MFU, likely", "%", 38, 0.01],
        ["mfuHigh", "MFU, high", "%", 48, 0.01],
        ["goodput", "Goodput", "%", 95, 0.01],
        ["price", "Price of an accelerator-hour", "USD", 2, 1],
      ],
      results(a) {
        const days = [a.mfuHigh, a.mfuLikely, a.mfuLow].map((mfu) =>
          flightlineEstimate.trainingDays({ ...a, mfu }));
        if (!(days[0] <= days[1] && days[1] <= days[2])) {
          throw new RangeError("MFU must be in order: low, likely, high.");
        }
        const memory = 16 * a.params / 1e9;
        return {
          head: ["", "at best", "likely", "at worst"],
          rows: [
            ["days", ...days],
            ["accelerator-days", ...days.map((d) => d * a.accelerators)],
            ["US dollars", ...days.map((d) => d * 24 * a.accelerators * a.price)],
            ["GB of state, mixed precision", memory, memory, memory],
          ],
        };
      },
    },
    serving: {
      title: "Serving",
      fields: [
        ["qps", "Requests a second, on average", "", 10000, 1],
        ["peak", "Peak over average", "", 1.5, 1],
        ["hitRate", "Cache hits", "%", 0, 0.01],
        ["service", "Time to serve one batch", "ms", 20, 0.001],
        ["batch", "Requests in a batch", "", 1, 1],
        ["target", "Target", "ms", 100, 0.001],
        ["quantile", "Share that keeps it", "%", 99, 0.01],
        ["model", "Queue", "", "M/D/1", ["M/D/1", "M/M/1", "M/M/c"]],
        ["spare", "Spare servers", "", 1, 1],
        ["price", "Price of a server-hour", "USD", 2, 1],
      ],
      results(a) {
        const servers = flightlineEstimate.fleetSize(a);
        const load = a.qps * a.peak * (1 - a.hitRate);
        const working = { ...a, qps: load, servers: servers - a.spare };
        const p = flightlineEstimate.responseSeconds(a.quantile, working);
        return {
          head: ["", "result"],
          rows: [
            ["servers, with the spare ones", servers],
            ["utilisation at the peak, %", 100 * load * a.service / a.batch / working.servers],
            ["response at the quantile, ms", 1000 * p],
            ["US dollars for a million requests",
              flightlineEstimate.costPerMillion(servers, a.price, a.qps)],
          ],
        };
      },
    },
  };

  function element(tag, attributes = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...children);
    return made;
  }

  function shown(value) {
    if (typeof value === "string") return value;
    return value.toLocaleString("en", { maximumSignificantDigits: value >= 1000 ? 6 : 4 });
  }

  function field(kind, [name, label, unit, start, factor]) {
    const id = `estimate-${kind}-${name}`;
    let input;
    if (Array.isArray(factor)) {
      input = element("select", { id }, ...factor.map((text) => element("option", {}, text)));
    } else {
      input = element("input", { id, type: "number", value: start, min: 0, step: "any", inputmode: "decimal" });
    }
    const text = unit ? `${label} (${unit})` : label;
    return element("div", { class: "estimate-field" }, element("label", { for: id }, text), input);
  }

  function read(form, kind) {
    const values = {};
    for (const [name, label, , , factor] of FORMS[kind].fields) {
      const input = form.querySelector(`#estimate-${kind}-${name}`);
      values[name] = Array.isArray(factor) ? input.value : input.valueAsNumber * factor;
      const wrong = !Array.isArray(factor) && !Number.isFinite(values[name]);
      input.setAttribute("aria-invalid", String(wrong));
      if (wrong) throw new RangeError(`${label} is not a number.`);
      if (name === "price" && values[name] < 0) throw new RangeError(`${label} is below zero.`);
    }
    return values;
  }

  function table({ head, rows }, title) {
    const cells = head.map((text) => text
      ? element("th", { scope: "col" }, text) : element("td", {}));
    const body = rows.map(([name, ...values]) => element("tr", {},
      element("th", { scope: "row" }, name), ...values.map((v) => element("td", {}, shown(v)))));
    return element("table", { class: "table" }, element("caption", {}, `${title}: the estimate`),
      element("thead", {}, element("tr", {}, ...cells)), element("tbody", {}, ...body));
  }

  function build(place, kind) {
    const { title, fields, results } = FORMS[kind];
    const output = element("div", { class: "estimate-result", role: "status" });
    const form = element("form", { id: `estimate-${kind}` },
      element("fieldset", {}, element("legend", {}, title),
        element("div", { class: "estimate-fields" }, ...fields.map((f) => field(kind, f)))),
      output);
    const update = () => {
      try {
        output.replaceChildren(table(results(read(form, kind)), title));
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        output.replaceChildren(element("p", { class: "estimate-error" }, error.message));
      }
    };
    form.addEventListener("input", update);
    form.addEventListener("submit", (event) => event.preventDefault());
    place.append(form);
    update();
  }

  function start() {
    const place = document.getElementById("estimate-calculator");
    if (!place) return;
    place.replaceChildren();
    for (const kind of Object.keys(FORMS)) build(place, kind);
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
