// Runs in the page: says what a reader sees, as JSON in a new element.
"use strict";

const box = element => {
	const r = element.getBoundingClientRect();
	return { left: r.left, right: r.right, top: r.top, bottom: r.bottom, width: r.width, height: r.height };
};

const rgb = text => (text.match(/[\d.]+/g) || []).slice(0, 3).map(Number);

const luminance = color => {
	const [r, g, b] = rgb(color).map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
	return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};

const contrast = (a, b) => {
	const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
	return (high + 0.05) / (low + 0.05);
};

const overlap = (a, b) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1;

const chart = (figure, back) => {
	const all = selector => [...figure.querySelectorAll(selector)];
	const frame = box(figure.querySelector(".chart"));
	const texts = all(".chart text, .chart .unit, .chart .group, .chart .label, .chart .value");
	const bars = all("rect.bar"), lines = all("path.line:not(.key)");
	const boxes = texts.map(box), drawn = [...texts, ...bars, ...lines, ...all("line")];
	const clashes = [];
	for (let i = 0; i < boxes.length; i++)
		for (let k = i + 1; k < boxes.length; k++)
			if (overlap(boxes[i], boxes[k]))
				clashes.push([texts[i].textContent, texts[k].textContent]);
	return {
		title: figure.querySelector("h2").textContent,
		caption: figure.querySelector("figcaption").textContent,
		shown: box(figure).height > 0 && getComputedStyle(figure).visibility === "visible",
		bars: bars.map(bar => ({
			value: Number(bar.dataset.value),
			left: box(bar).left,
			width: box(bar).width,
			fill: getComputedStyle(bar).fill,
			contrast: contrast(getComputedStyle(bar).fill, back),
		})),
		lines: lines.map(line => ({
			values: line.dataset.values.split(" ").map(Number),
			width: box(line).width / frame.width,
			height: box(line).height,
			stroke: getComputedStyle(line).stroke,
			fill: getComputedStyle(line).fill,
			dashes: getComputedStyle(line).strokeDasharray,
			contrast: contrast(getComputedStyle(line).stroke, back),
		})),
		labels: all(".label").map(text => text.textContent),
		values: all(".value").map(text => text.textContent),
		groups: all(".group").map(text => text.textContent),
		reference: all("line.reference").map(line => box(line).left - frame.left),
		outside: drawn.filter(element => box(element).left < frame.left - 1 || box(element).right > frame.right + 1).map(
			element => element.textContent || element.className.baseVal),
		scrolls: all(".chart, .chart *").some(element => element.scrollWidth > element.clientWidth && element.clientWidth > 0 &&
			/auto|scroll|hidden/.test(getComputedStyle(element).overflowX)),
		clashes,
		covered: texts.filter((_, i) => bars.some(bar => overlap(boxes[i], box(bar)))).map(text => text.textContent),
		smallest: Math.min(...texts.map(text => parseFloat(getComputedStyle(text).fontSize))),
		weakest: Math.min(...texts.map(
			text => contrast(text instanceof SVGElement ? getComputedStyle(text).fill : getComputedStyle(text).color, back))),
	};
};

const plan = figure => {
	const svg = figure.querySelector("svg.greta-plan");
	const page = getComputedStyle(svg.querySelector(".page")).fill;
	return {
		shown: box(svg).height > 0,
		page,
		buffers: svg.querySelectorAll("rect.b").length,
		colours: new Set([...svg.querySelectorAll("rect.b")].map(rect => getComputedStyle(rect).fill)).size,
		weakest: Math.min(...[...svg.querySelectorAll("text:not(.in)")].map(text => contrast(getComputedStyle(text).fill, page))),
	};
};

const back = getComputedStyle(document.body).backgroundColor;
const seen = {
	width: innerWidth,
	scrolls: document.documentElement.scrollWidth,
	dark: matchMedia("(prefers-color-scheme: dark)").matches,
	back,
	weakest: Math.min(...[...document.querySelectorAll("h1, h2, dt, dd, td, th, figcaption, p")].map(
		element => contrast(getComputedStyle(element).color, back))),
	loaded: performance.getEntriesByType("resource").map(entry => entry.name),
	heading: document.querySelector("h1").textContent,
	facts: [...document.querySelectorAll("dt")].map(element => element.textContent),
	charts: Object.fromEntries([...document.querySelectorAll("figure")].filter(figure => figure.querySelector(".chart")).map(
		figure => [figure.id, chart(figure, back)])),
	table: [...document.querySelectorAll("#table tr")].map(row => [...row.children].map(cell => cell.textContent)),
	checks: [...document.querySelectorAll("#checks tr")].map(row => [...row.children].map(cell => cell.textContent)),
	plan: document.querySelector("#arena") && plan(document.querySelector("#arena")),
	notes: document.querySelector("#notes") && document.querySelector("#notes").innerText,
};
const out = document.createElement("pre");
out.id = "seen";
out.textContent = JSON.stringify(seen);
document.body.append(out);
