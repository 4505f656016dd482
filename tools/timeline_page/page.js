// Draws the picture. Whatever comes from events is only ever set as text of an element, never as
// markup.
'use strict';
(() => {
  const data = JSON.parse(document.getElementById('data').textContent);
  const element = (id) => document.getElementById(id);
  const SVG = 'http://www.w3.org/2000/svg';
  const ROW = {strip: 34, lane: 26, store: 30};
  const MARKS = new Set(['acquired', 'exit', 'refused', 'decision', 'note', 'completed', 'ended',
    'cleaned', 'cleaning_failed', 'clock', 'restored']);
  const TROUBLE = new Set(['unclear', 'grace', 'refused']);
  const LABELS_MIN = 130;
  const LABELS_MAX = 250;

  const itemOf = (row) => ({kind: row[0], from: row[1], to: row[2], lane: row[3], sequence: row[4],
    text: row[5], label: row[6]});
  const byTime = (a, b) => a.from - b.from || a.to - b.to;
  const sagas = data.sagas.map((saga) => ({...saga, items: saga.items.map(itemOf).sort(byTime)}));
  const store = data.store.map(itemOf);

  // Less than this is no time to look at: a picture of one moment still has a width.
  const LENGTH = Math.max(data.length, 1000);
  const pad = LENGTH * 0.015;
  const view = {from: -pad, to: LENGTH + pad};
  const state = {expanded: new Set(), all: sagas.length === 1, row: 0, chosen: null,
    dragging: null};
  let rows = [];

  // ---- times ----
  const two = (number) => String(number).padStart(2, '0');
  const moment = (at) => {
    const micros = data.begin + Math.round(at);
    const date = new Date(Math.floor(micros / 1000));
    const rest = ((micros % 1e6) + 1e6) % 1e6;
    const clock = [date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()].map(two);
    const decimals = rest === 0 ? '' : '.' + String(rest).padStart(6, '0').replace(/0+$/, '');
    return {day: date.toISOString().slice(0, 10), clock: clock.join(':') + decimals};
  };
  const UNITS = [[86400e6, 'd'], [3600e6, 'h'], [60e6, 'min'], [1e6, 's'], [1e3, 'ms'], [1, 'us']];
  const span = (micros) => {
    const place = UNITS.findIndex(([size]) => micros >= size);
    if (place < 0) return '0 s';
    const [size, name] = UNITS[place];
    if (place > 2) return `${Math.round(micros / size * 100) / 100} ${name}`;
    const rest = Math.floor(micros % size / UNITS[place + 1][0]);
    return `${Math.floor(micros / size)} ${name}` + (rest ? ` ${rest} ${UNITS[place + 1][1]}` : '');
  };
  const when = (item) => {
    const from = moment(item.from);
    const head = `${from.day} ${from.clock}`;
    const sequence = item.sequence ? `, event ${item.sequence}` : '';
    if (item.from === item.to) return `${head} UTC${sequence}`;
    const to = moment(item.to);
    const tail = to.day === from.day ? to.clock : `${to.day} ${to.clock}`;
    return `${head} to ${tail} UTC, ${span(item.to - item.from)}${sequence}`;
  };

  // ---- rows ----
  const isTroubled = (saga) => saga.unclear > 0 || saga.refusals > 0 || saga.grace > 0;
  const matches = (saga, word) => [saga.id, saga.key, saga.state,
    ...saga.lanes.map((lane) => lane.name)].some((text) => text.toLowerCase().includes(word));
  const layRows = () => {
    const word = element('find').value.trim().toLowerCase();
    const trouble = element('trouble').checked;
    const held = rows[state.row];
    rows = [];
    let y = 0;
    const add = (row) => { rows.push({...row, y}); y += row.height; };
    if (store.length > 0) add({role: 'store', name: 'store', items: store, height: ROW.store});
    for (const saga of sagas) {
      if ((trouble && !isTroubled(saga)) || (word && !matches(saga, word))) continue;
      const open = state.all !== state.expanded.has(saga.id);
      const own = saga.items.filter((item) => open ? item.lane === 0
        : item.lane === 0 || (MARKS.has(item.kind) && item.kind !== 'note' &&
          item.kind !== 'acquired'));
      add({role: 'strip', saga, open, name: saga.id, items: own, height: ROW.strip});
      for (let lane = 1; open && lane < saga.lanes.length; ++lane) {
        add({role: saga.lanes[lane].role, saga, name: saga.lanes[lane].name,
          items: saga.items.filter((item) => item.lane === lane), ticks: saga.lanes[lane].ticks,
          height: ROW.lane});
      }
    }
    // The row that was chosen, or the strip that it belongs to, wherever it stands now.
    const same = held ? rows.findIndex((row) => row.saga === held.saga && row.role === held.role &&
      row.name === held.name) : -1;
    const strip = held ? rows.findIndex((row) => row.saga === held.saga) : -1;
    state.row = Math.max(same >= 0 ? same : strip, 0);
    element('spacer').style.height = `${y}px`;
  };

  // ---- drawing ----
  const make = (name, attributes, text) => {
    const node = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    if (text !== undefined) node.textContent = text;
    return node;
  };
  const patterns = () => {
    const defs = make('defs', {});
    for (const [id, ground, line] of [['hatch-unclear', '--unclear-soft', '--unclear'],
      ['hatch-grace', '--grace-soft', '--grace'], ['hatch-away', '--away-soft', '--away'],
      ['hatch-cleaning', '--cleaning-soft', '--cleaning']]) {
      const pattern = make('pattern', {id, width: 7, height: 7, patternUnits: 'userSpaceOnUse',
        patternTransform: 'rotate(45)'});
      pattern.append(make('rect', {width: 7, height: 7, style: `fill:var(${ground})`}),
        make('rect', {width: 2.4, height: 7, style: `fill:var(${line})`}));
      defs.append(pattern);
    }
    return defs;
  };
  const labelWidth = () =>
    Math.max(LABELS_MIN, Math.min(LABELS_MAX, element('scroll').clientWidth * 0.22));
  const chartWidth = () => Math.max(element('scroll').clientWidth - labelWidth() - 16, 50);
  const xOf = (at) => labelWidth() + (at - view.from) / (view.to - view.from) * chartWidth();
  const timeAt = (x) => view.from + (x - labelWidth()) / chartWidth() * (view.to - view.from);

  // Kind -> how its bar looks: fill, edge, height as a part of the row.
  const BARS = {
    waiting: ['var(--waiting)', 'none', 0.12], dispatched: ['var(--raised)', 'var(--owned-edge)', 0.6],
    owned: ['var(--owned)', 'var(--owned-edge)', 0.6],
    finalising: ['var(--grace-soft)', 'var(--grace)', 0.6],
    grace: ['url(#hatch-grace)', 'var(--grace)', 0.74],
    unclear: ['url(#hatch-unclear)', 'var(--unclear)', 0.8],
    cleaning: ['var(--cleaning-soft)', 'var(--cleaning)', 0.5],
    owing: ['url(#hatch-cleaning)', 'var(--cleaning)', 0.5],
    lease: ['var(--owned)', 'var(--owned-edge)', 0.58],
    silence: ['var(--silence)', 'none', 0.3],
    lapsed: ['var(--unclear-soft)', 'var(--unclear)', 0.58],
    section: ['var(--section)', 'none', 0.42], claim: ['var(--cleaning-soft)', 'var(--cleaning)', 0.58],
    away: ['url(#hatch-away)', 'var(--away)', 0.7],
  };
  const INSIDE = {owned: '--owned-text', lease: '--owned-text', section: '--section-text',
    unclear: '--unclear-text', grace: '--grace-text', finalising: '--grace-text',
    dispatched: '--text', cleaning: '--text', owing: '--text', claim: '--text'};
  const HALO = {unclear: '--unclear-soft', grace: '--grace-soft', owing: '--cleaning-soft',
    lease: '--owned'};
  // Where a bar's label begins: behind the marks that stand on its beginning.
  const labelStart = (from, marks) => {
    let start = Math.max(from, labelWidth()) + 6;
    for (const x of marks) {
      if (x > start - 14 && x < start + 16) start = x + 11;
    }
    return start;
  };
  const edgesOf = (item) => [Math.max(xOf(item.from), labelWidth() - 4),
    Math.min(xOf(item.to), labelWidth() + chartWidth() + 20)];
  const barOf = (item, row, y) => {
    const [fill, edge, part] = BARS[item.kind];
    const [from, to] = edgesOf(item);
    const height = Math.round(row.height * part);
    const top = y + Math.round((row.height - height) / 2);
    const group = make('g', {});
    group.append(make('rect', {x: from, y: top, width: Math.max(to - from, 1.5), height,
      rx: Math.min(3, height / 3), style: `fill:${fill};stroke:${edge}`,
      'stroke-dasharray': item.kind === 'lapsed' || item.kind === 'dispatched' ? '4 3' : 'none'}));
    return group;
  };
  const wordsOf = (item, row, y, marks) => {
    const [from, to] = edgesOf(item);
    const start = labelStart(from, marks);
    const room = to - start - 4;
    const fits = item.label.length * 6.4 <= room;
    // On hatching only what fits as a whole can be read.
    if (item.label && INSIDE[item.kind] && (fits || (room > 26 && !item.kind.match(/^(unclear|grace|owing)$/)))) {
      const text = fits ? item.label : item.label.slice(0, Math.floor(room / 6.4) - 1) + '…';
      const halo = HALO[item.kind]
        ? `;paint-order:stroke;stroke:var(${HALO[item.kind]});stroke-width:4px` : '';
      return make('text', {class: 'inside', x: start,
        y: y + row.height / 2 + 4, style: `fill:var(${INSIDE[item.kind]})${halo}`}, text);
    }
    return null;
  };
  const GLYPHS = {
    acquired: ['M-4,-5 L5,0 L-4,5 Z', '--accent'], exit: ['M-4,-4 H4 V4 H-4 Z', '--mark'],
    refused: ['M-4.5,-4.5 L4.5,4.5 M-4.5,4.5 L4.5,-4.5', '--unclear'],
    decision: ['M0,-6.5 L6.5,0 L0,6.5 L-6.5,0 Z', '--accent'],
    note: ['M0,-2.5 A2.5,2.5 0 1 1 0,2.5 A2.5,2.5 0 1 1 0,-2.5', '--dim'],
    completed: ['M0,-6 A6,6 0 1 1 0,6 A6,6 0 1 1 0,-6', '--good'],
    ended: ['M-5.5,-5.5 H5.5 V5.5 H-5.5 Z', '--unclear'],
    cleaned: ['M0,-4.5 A4.5,4.5 0 1 1 0,4.5 A4.5,4.5 0 1 1 0,-4.5', '--good'],
    cleaning_failed: ['M0,-5 L5,4.5 H-5 Z', '--unclear'],
    clock: ['M0,-6 A6,6 0 1 1 0,6 A6,6 0 1 1 0,-6 M0,-3.5 V0 H3', '--grace'],
    restored: ['M-5,0 L2,-5.5 V5.5 Z M4,-5.5 V5.5', '--away'],
  };
  const glyphOf = (kind, x, y) => {
    const [path, color] = GLYPHS[kind];
    const hollow = kind === 'refused' || kind === 'clock';
    const group = make('g', {transform: `translate(${x},${y})`});
    if (hollow) {
      group.append(make('path', {d: path, style:
        `fill:none;stroke:var(--mark-edge);stroke-width:5;stroke-linecap:round`}));
      group.append(make('path', {d: path, style:
        `fill:none;stroke:var(${color});stroke-width:2.4;stroke-linecap:round`}));
    } else {
      group.append(make('path', {d: path,
        style: `fill:var(${color});stroke:var(--mark-edge);stroke-width:1.2`}));
    }
    if (kind === 'completed') {
      group.append(make('path', {d: 'M-2.8,0.2 L-0.8,2.4 L3,-2', style:
        'fill:none;stroke:var(--mark-edge);stroke-width:1.6'}));
    }
    return group;
  };

  const drawTicks = (chart, row, y) => {
    let last = -10;
    let path = '';
    const top = y + row.height * 0.5;
    for (const tick of row.ticks || []) {
      if (tick < view.from || tick > view.to) continue;
      const x = Math.round(xOf(tick) * 2) / 2;
      if (x - last < 2) continue;  // closer ones are one
      last = x;
      path += `M${x},${top}V${y + row.height * 0.79}`;
    }
    if (path) chart.append(make('path', {d: path, style: 'stroke:var(--owned-text);stroke-width:1'}));
  };
  const drawRow = (chart, row, index, y) => {
    if (index === state.row) {
      chart.append(make('rect', {x: 0, y, width: '100%', height: row.height,
        style: 'fill:var(--selected)'}));
    }
    chart.append(make('path', {d: `M0,${y + row.height - 0.5}H4000`, style: row.role === 'strip' &&
      !row.open ? 'stroke:var(--line)' : 'stroke:var(--grid)'}));
    if (row.saga && row.role !== 'strip') {
      for (const item of row.saga.items) {  // where ownership was unclear, in every lane of it
        if (item.lane === 0 && (item.kind === 'unclear' || item.kind === 'grace')) {
          const x = Math.max(xOf(item.from), labelWidth());
          const width = xOf(item.to) - x;
          if (width > 0) chart.append(make('rect', {x, y, width, height: row.height,
            style: `fill:var(--${item.kind}-soft);opacity:0.75`}));
        }
      }
    }
    const clip = make('g', {'clip-path': 'url(#lanes)'});
    chart.append(clip);
    const seen = row.items.filter((item) => item.to >= view.from && item.from <= view.to);
    const marks = placeMarks(seen.filter((item) => MARKS.has(item.kind)));
    const places = marks.map((mark) => mark.x);
    const bars = seen.filter((item) => !MARKS.has(item.kind));
    for (const sections of [false, true]) {
      const layer = bars.filter((item) => (item.kind === 'section') === sections);
      for (const item of layer) addTarget(clip, barOf(item, row, y), item, index);
      for (const item of layer) {  // over the silence that stands upon a lease
        const words = wordsOf(item, row, y, places);
        if (words) clip.append(words);
      }
    }
    drawTicks(clip, row, y);
    drawMarks(clip, row, index, y, marks);
    drawName(chart, row, index, y);
  };
  // Marks at one place are spread; of more than can be told apart the first ones are shown, and how
  // many more there are.
  const placeMarks = (items) => {
    const placed = [];
    let last = -100;
    let crowd = 0;
    for (const item of items) {
      let x = xOf(item.from);
      crowd = x - last < 12 ? crowd + 1 : 0;
      if (crowd > 0 && crowd < 5) x = last + 12;
      if (crowd >= 5 && item !== state.chosen) {
        placed[placed.length - 1].more += 1;
        continue;
      }
      last = x;
      placed.push({item, x, more: 0});
    }
    return placed;
  };
  const drawMarks = (clip, row, index, y, marks) => {
    for (const {item, x, more} of marks) {
      if (item.kind === 'refused' && row.role === 'actor') {
        const strip = rows.slice(0, index).reverse().find((other) => other.role === 'strip');
        clip.append(make('path', {d: `M${xOf(item.from)},${y + 3}V${y - row.y + strip.y + 5}`, style:
          'stroke:var(--unclear);stroke-width:1;stroke-dasharray:2 3;opacity:0.7;fill:none'}));
      }
      addTarget(clip, glyphOf(item.kind, x, y + row.height / 2), item, index);
      if (more > 0) {
        clip.append(make('text', {class: 'inside', x: x + 8, y: y + row.height / 2 + 4, style:
          'font-weight:600;paint-order:stroke;stroke:var(--ground);stroke-width:4px'}, `+${more}`));
      }
    }
  };
  const addTarget = (parent, node, item, index) => {
    node.style.cursor = 'pointer';
    if (item === state.chosen) {
      node.style.filter = 'drop-shadow(0 0 2px var(--accent)) drop-shadow(0 0 2px var(--accent))';
    }
    node.addEventListener('pointermove', (event) => showTip(item, event));
    node.addEventListener('pointerleave', hideTip);
    node.addEventListener('click', () => choose(item, index));
    parent.append(node);
  };
  const fitted = (text, width) => {
    const most = Math.max(Math.floor(width / 6.7), 3);
    return text.length > most ? text.slice(0, most - 1) + '…' : text;
  };
  const drawName = (chart, row, index, y) => {
    const room = labelWidth() - 34;
    const group = make('g', {});
    group.style.cursor = row.role === 'strip' ? 'pointer' : 'default';
    group.append(make('rect', {x: 0, y, width: labelWidth() - 4, height: row.height - 1,
      style: `fill:var(${index === state.row ? '--selected' : '--ground'})`}));
    const strip = row.role === 'strip';
    if (strip) {
      const turn = row.open ? 90 : 0;
      group.append(make('path', {d: 'M-2.5,-4 L3,0 L-2.5,4', transform:
        `translate(14,${y + row.height / 2}) rotate(${turn})`, style:
        'fill:none;stroke:var(--dim);stroke-width:1.6'}));
    }
    const name = row.role === 'actor' ? `${row.name} (not an owner)` : row.name;
    // What is wrong comes first: there may be room for no more.
    const note = strip ? [row.saga.unclear ? `unclear ${span(row.saga.unclear)}` : '',
      row.saga.grace ? `in grace ${span(row.saga.grace)}` : '', row.saga.state].filter(Boolean).join(', ') : '';
    const color = row.saga && row.saga.unclear ? ';fill:var(--unclear)'
      : (row.saga && row.saga.grace ? ';fill:var(--grace-text)' : '');
    group.append(make('text', {x: strip || row.role === 'store' ? 24 : 36,
      y: y + (note ? row.height / 2 - 2 : row.height / 2 + 4),
      class: strip ? 'name' : 'dim'}, fitted(name, strip ? room : room - 12)));
    if (note) {
      group.append(make('text', {x: 24, y: y + row.height / 2 + 11, class: 'dim',
        style: `font-size:10.5px${color}`}, fitted(note, room * 1.1)));
    }
    group.append(make('title', {}, row.saga && row.saga.key ? `${name}, key ${row.saga.key}` : name));
    group.addEventListener('click', () => {
      state.row = index;
      if (strip) toggle(row.saga);
      draw();
    });
    chart.append(group);
  };

  const STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500].map((n) => n * 1e3).concat(
    [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400,
      172800, 604800, 1209600, 2592000, 5184000, 7776000, 15552000, 31536000, 63072000, 157680000]
      .map((n) => n * 1e6));
  const gridTimes = () => {
    const least = (view.to - view.from) / chartWidth() * 105;
    const step = STEPS.find((size) => size >= least) || STEPS[STEPS.length - 1];
    const first = Math.ceil((view.from + data.begin) / step) * step - data.begin;
    const times = [];
    for (let at = first; at <= view.to; at += step) times.push(at);
    return {step, times};
  };
  const drawAxis = () => {
    const axis = element('axis');
    const nodes = [];
    const {step, times} = gridTimes();
    let day = '';
    for (const at of times) {
      const text = moment(at);
      const x = xOf(at);
      nodes.push(make('path', {d: `M${x},27V34`, style: 'stroke:var(--dim)'}));
      if (x + 32 > element('axis').clientWidth) continue;  // half a label misleads
      nodes.push(make('text', {class: 'axis', x, y: 24, 'text-anchor': 'middle'},
        step >= 86400e6 ? text.day : text.clock.replace(/^(\d\d:\d\d):00$/, '$1')));
      if (text.day !== day && step < 86400e6) {
        nodes.push(make('text', {class: 'axis', x, y: 11, 'text-anchor': 'middle',
          style: 'font-weight:600'}, text.day));
      }
      day = text.day;
    }
    axis.replaceChildren(...nodes);
  };
  const draw = () => {
    hideTip();  // what it points at is drawn anew
    const scroll = element('scroll');
    const chart = element('chart');
    const height = scroll.clientHeight;
    chart.setAttribute('height', height);
    const nodes = patterns();
    const clip = make('clipPath', {id: 'lanes'});
    clip.append(make('rect', {x: labelWidth() - 4, y: 0, width: chartWidth() + 24, height}));
    nodes.append(clip);
    chart.replaceChildren(nodes);
    for (const at of gridTimes().times) {
      chart.append(make('path', {d: `M${xOf(at)},0V${height}`, style: 'stroke:var(--grid)'}));
    }
    const ground = make('g', {'clip-path': 'url(#lanes)'});
    for (const item of store) {
      if (item.kind === 'away') {
        ground.append(make('rect', {x: xOf(item.from), y: 0,
          width: Math.max(xOf(item.to) - xOf(item.from), 1), height,
          style: 'fill:var(--away-soft);opacity:0.8'}));
      }
    }
    chart.append(ground);
    rows.forEach((row, index) => {
      const y = row.y - scroll.scrollTop;
      if (y + row.height >= 0 && y <= height) drawRow(chart, row, index, y);
    });
    if (rows.length === 0) {
      chart.append(make('text', {x: 24, y: 40, class: 'dim'}, 'Nothing to show.'));
    }
    drawAxis();
  };
  let waiting = false;
  const redraw = () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => { waiting = false; draw(); });
  };

  // ---- facts ----
  const fill = (node, item, owner) => {
    const head = document.createElement('b');
    head.textContent = (owner ? owner + ': ' : '') + item.kind.replace('_', ' ');
    const time = document.createElement('div');
    time.className = 'when';
    time.textContent = when(item);
    const text = document.createElement('div');
    text.textContent = item.text;
    node.replaceChildren(head, time, text);
  };
  const showTip = (item, event) => {
    if (state.dragging) return;
    const tip = element('tip');
    fill(tip, item, '');
    tip.hidden = false;
    const box = tip.getBoundingClientRect();
    tip.style.left = `${Math.max(4, Math.min(event.clientX + 14, innerWidth - box.width - 8))}px`;
    tip.style.top = `${event.clientY + 18 + box.height > innerHeight
      ? event.clientY - box.height - 12 : event.clientY + 18}px`;
  };
  const hideTip = () => { element('tip').hidden = true; };
  const choose = (item, index) => {
    state.chosen = item;
    state.row = index;
    const row = rows[index];
    fill(element('details'), item, row && row.saga ? row.saga.id : 'store');
    redraw();
  };

  // ---- moving ----
  const setView = (from, to) => {
    const length = Math.max(Math.min(to - from, LENGTH * 1.6), 200);
    const middle = Math.max(-LENGTH * 0.3, Math.min((from + to) / 2, LENGTH * 1.3));
    view.from = middle - length / 2;
    view.to = middle + length / 2;
    redraw();
  };
  const zoom = (factor, at = (view.from + view.to) / 2) =>
    setView(at - (at - view.from) * factor, at + (view.to - at) * factor);
  const pan = (part) => {
    const by = (view.to - view.from) * part;
    setView(view.from + by, view.to + by);
  };
  const fit = () => setView(-pad, LENGTH + pad);
  const reveal = (index) => {
    const row = rows[index];
    const scroll = element('scroll');
    if (row && row.y < scroll.scrollTop) scroll.scrollTop = row.y;
    if (row && row.y + row.height > scroll.scrollTop + scroll.clientHeight) {
      scroll.scrollTop = row.y + row.height - scroll.clientHeight;
    }
  };
  const goTo = (item, index) => {
    choose(item, index);
    reveal(index);
    const length = view.to - view.from;
    if (item.from < view.from || item.to > view.to) {
      const wide = Math.max(length, (item.to - item.from) * 1.5);
      setView((item.from + item.to) / 2 - wide / 2, (item.from + item.to) / 2 + wide / 2);
    }
  };
  const toggle = (saga) => {
    if (!state.expanded.delete(saga.id)) state.expanded.add(saga.id);
    layRows();
    redraw();
  };
  const stepTrouble = (direction) => {
    const all = rows.flatMap((row, index) => row.items.filter((item) => TROUBLE.has(item.kind))
      .map((item) => ({item, index})));
    if (all.length === 0) return;
    const at = all.findIndex((entry) => entry.item === state.chosen);
    const next = at < 0 ? (direction > 0 ? 0 : all.length - 1)
      : (at + direction + all.length) % all.length;
    goTo(all[next].item, all[next].index);
  };
  const stepItem = (direction) => {
    const items = rows[state.row] ? rows[state.row].items : [];
    if (items.length === 0) return;
    const at = items.indexOf(state.chosen);
    goTo(items[Math.max(0, Math.min(items.length - 1, at < 0 ? 0 : at + direction))], state.row);
  };
  const moveRow = (by) => {
    state.row = Math.max(0, Math.min(rows.length - 1, state.row + by));
    reveal(state.row);
    redraw();
  };

  // ---- controls ----
  const setTheme = (theme) => {
    document.documentElement.dataset.theme = theme;
    element('theme').textContent = theme === 'dark' ? 'Light' : 'Dark';
  };
  const system = matchMedia('(prefers-color-scheme: dark)');
  let chosen = false;
  setTheme(system.matches ? 'dark' : 'light');
  system.addEventListener('change', () => { if (!chosen) setTheme(system.matches ? 'dark' : 'light'); });
  const switchTheme = () => {
    chosen = true;
    setTheme(document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark');
  };
  const expandAll = () => {
    state.all = !state.all;
    state.expanded.clear();
    element('expand').setAttribute('aria-pressed', String(state.all));
    layRows();
    redraw();
  };
  element('expand').setAttribute('aria-pressed', String(state.all));
  const relay = () => { layRows(); redraw(); };
  element('find').addEventListener('input', relay);
  element('trouble').addEventListener('change', relay);
  element('expand').addEventListener('click', expandAll);
  element('in').addEventListener('click', () => zoom(0.6));
  element('out').addEventListener('click', () => zoom(1.6));
  element('fit').addEventListener('click', fit);
  element('next').addEventListener('click', () => stepTrouble(1));
  element('previous').addEventListener('click', () => stepTrouble(-1));
  element('theme').addEventListener('click', switchTheme);
  const KEYS = {ArrowLeft: () => pan(-0.12), ArrowRight: () => pan(0.12),
    ArrowUp: () => moveRow(-1), ArrowDown: () => moveRow(1), '+': () => zoom(0.6),
    '=': () => zoom(0.6), '-': () => zoom(1.6), 0: fit, n: () => stepTrouble(1),
    p: () => stepTrouble(-1), '[': () => stepItem(-1), ']': () => stepItem(1), e: expandAll,
    t: switchTheme, Escape: hideTip,
    Enter: () => { if (rows[state.row] && rows[state.row].saga) toggle(rows[state.row].saga); }};
  document.addEventListener('keydown', (event) => {
    const typing = event.target.matches('input[type=search]');
    const pressing = event.key === 'Enter' && event.target.matches('button, input');
    const act = KEYS[event.key];
    if (typing && event.key === 'Escape') scroll.focus();  // back to the keys of the chart
    if (!act || typing || pressing || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act();
  });
  const scroll = element('scroll');
  scroll.addEventListener('scroll', redraw);
  scroll.addEventListener('wheel', (event) => {
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      zoom(Math.exp(event.deltaY * 0.0025), timeAt(event.clientX));
    } else if (Math.abs(event.deltaX) > Math.abs(event.deltaY) || event.shiftKey) {
      event.preventDefault();
      pan((event.deltaX || event.deltaY) / chartWidth());
    }
  }, {passive: false});
  scroll.addEventListener('pointerdown', (event) => {
    if (event.button === 0) state.dragging = {x: event.clientX, from: view.from, to: view.to};
  });
  addEventListener('pointermove', (event) => {
    if (!state.dragging) return;
    const by = (event.clientX - state.dragging.x) / chartWidth() * (view.to - view.from);
    if (Math.abs(event.clientX - state.dragging.x) < 3) return;
    scroll.classList.add('dragging');
    hideTip();
    setView(state.dragging.from - by, state.dragging.to - by);
  });
  addEventListener('pointerup', () => {
    state.dragging = null;
    scroll.classList.remove('dragging');
  });
  scroll.addEventListener('dblclick', (event) => zoom(0.5, timeAt(event.clientX)));
  addEventListener('resize', redraw);

  // ---- words around it ----
  const LEGEND = [['owned', 'owned'], ['unclear', 'unclear: nobody has reclaimed it'],
    ['grace', 'in grace'], ['finalising', 'finalising'], ['dispatched', 'dispatched'],
    ['waiting', 'waiting'], ['section', 'in a section'], ['silence', 'silent, lease not over'],
    ['lapsed', 'lease over'], ['tick', 'heartbeat'],
    ['owing', 'clean-up owed'], ['cleaning', 'being undone'], ['away', 'store away'],
    ['acquired', 'acquired'], ['note', 'planned, or noted'], ['refused', 'refused'],
    ['decision', 'decision'], ['exit', 'process exited'], ['completed', 'completed'],
    ['ended', 'ended otherwise']];
  for (const [kind, text] of LEGEND) {
    const entry = document.createElement('li');
    const picture = make('svg', {viewBox: '0 0 26 14'});
    const lease = (part, [ground, edge]) => make('rect', {x: 1, y: 7 - part / 2, width: 24,
      height: part, rx: 2, style: `fill:${ground};stroke:${edge}`});
    if (GLYPHS[kind]) picture.append(glyphOf(kind, 13, 7));
    else if (kind === 'silence' || kind === 'tick') {
      picture.append(lease(12, BARS.lease));
      picture.append(kind === 'tick' ? make('path', {d: 'M9,7V12M17,7V12', style:
        'stroke:var(--owned-text)'}) : lease(5, BARS.silence));
    } else {
      const [ground, edge, part] = BARS[kind];
      const height = Math.max(14 * part, 3);
      picture.append(make('rect', {x: 1, y: (14 - height) / 2, width: 24, height, rx: 2,
        style: `fill:${ground};stroke:${edge}`, 'stroke-dasharray': kind === 'lapsed' ||
        kind === 'dispatched' ? '4 3' : 'none'}));
    }
    entry.append(picture, document.createTextNode(text));
    element('legend').append(entry);
  }
  const begin = moment(0);
  const end = moment(data.length);
  const troubled = sagas.filter(isTroubled).length;
  element('window').textContent = `${begin.day} ${begin.clock} to ${end.day} ${end.clock} UTC · ` +
    `${sagas.length} ${sagas.length === 1 ? 'saga' : 'sagas'}, ${troubled} with unclear ownership, ` +
    `grace or refusals · as of event ${data.sequence}`;
  const notices = [];
  if (data.damage) notices.push(`The log is damaged: ${data.damage}. What stands before it is shown.`);
  if (data.ticks_left_out) {
    notices.push(`${data.ticks_left_out} heartbeats are not drawn: a narrower window has room.`);
  }
  element('notice').textContent = notices.join(' ');
  element('notice').hidden = notices.length === 0;
  const worst = sagas.flatMap((saga) => saga.items.filter((item) => item.kind === 'unclear')
    .map((item) => ({saga, item}))).sort((a, b) => (b.item.to - b.item.from) -
    (a.item.to - a.item.from))[0];
  layRows();
  if (worst) {
    choose(worst.item, rows.findIndex((row) => row.role === 'strip' && row.saga === worst.saga));
    reveal(state.row);
  } else {
    element('details').textContent = 'Choose something to read its facts here.';
  }
  draw();
})();
