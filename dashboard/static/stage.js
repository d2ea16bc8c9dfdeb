/* Stage: tells the server how large the window is. On slides it hands keys to it; on the wall it draws the clock
   and the age of the data, tells when the server is silent, and loads the page again when it is back. */

const stages = new WeakMap();
const KEYS = {
  ArrowRight: "next", ArrowDown: "next", PageDown: "next", " ": "next", Enter: "next",
  ArrowLeft: "previous", ArrowUp: "previous", PageUp: "previous", Backspace: "previous",
  Home: "first", End: "last", Escape: "leave",
};

/* charts have type in pixels: the server must know how large the window is */
function scale(stage) {
  const { data, component } = stage;
  const factor = Math.min(window.innerWidth / data.width, window.innerHeight / data.height);
  const rounded = Math.round(Math.max(0.2, factor) * 100) / 100;
  if (rounded !== data.scale && rounded !== stage.told) {
    stage.told = rounded;
    component.setStateValue("scale", rounded);
  }
}

function isTyping(event) {
  const target = event.composedPath()[0];
  return target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName);
}

function pressed(stage, event) {
  const move = KEYS[event.key];
  if (!stage.data.keys || !move || event.ctrlKey || event.altKey || event.metaKey || isTyping(event)) return;
  if ((event.key === " " || event.key === "Enter") && event.composedPath()[0].tagName === "BUTTON") return;
  event.preventDefault();
  stage.component.setTriggerValue("move", move);
}

const two = (number) => String(number).padStart(2, "0");

function since(seconds, words) {
  const parts = [[86400, "days"], [3600, "hours"], [60, "minutes"], [1, "seconds"]];
  const [size, name] = parts.find(([size]) => seconds >= size) ?? parts[3];
  return words[name].replace("{n}", Math.floor(Math.max(0, seconds) / size));
}

/* the freshness of the data at this moment, whether or not the server still speaks */
function freshness(data, now) {
  if (data.ok_at === null) return ["bad", data.words.never];
  const age = (now - data.ok_at) / 1000;
  const text = data.words.age.replace("{age}", since(age, data.words));
  return [age <= data.max_age ? "good" : age <= 2 * data.max_age ? "careful" : "bad", text];
}

function put(element, text, level) {
  if (element.textContent !== text) element.textContent = text;
  if (level !== undefined && element.dataset.level !== level) element.dataset.level = level;
}

function tick(stage) {
  const { data, root } = stage;
  if (!data.wall) return;
  const now = Date.now() + stage.offset;
  const local = new Date(now + data.utc_offset * 1000);
  const find = (name) => root.querySelector(`.${name}`);
  put(find("clock"), `${two(local.getUTCHours())}:${two(local.getUTCMinutes())}:${two(local.getUTCSeconds())}`);
  put(find("date"), `${data.words.weekdays[local.getUTCDay()]}, ${two(local.getUTCDate())}/` +
    `${two(local.getUTCMonth() + 1)}/${local.getUTCFullYear()}`);
  const [level, text] = freshness(data, now);
  put(find("age"), text, level);
  const silent = performance.now() - stage.heard > data.silent_after * 1000;
  const alarm = silent ? data.words.lost : data.reachable ? "" : data.words.unreachable;
  put(find("alarm"), alarm);
  find("alarm").hidden = alarm === "";
  if (performance.now() - stage.heard > (data.silent_after + 10) * 1000) knock(stage);
}

/* asks a silent server whether it is back, every five seconds, and loads the page again when it is; not at once, as a
   connection that broke mends itself */
function knock(stage) {
  if (stage.knocking || performance.now() - stage.knocked < 5000) return;
  stage.knocking = true;
  stage.knocked = performance.now();
  fetch(new URL("healthz", document.baseURI), { cache: "no-store" })
    .then((answer) => { if (answer.ok) location.reload(); })
    .catch(() => {})
    .finally(() => { stage.knocking = false; });
}

function steps(stage) {
  const { data, root } = stage;
  const row = root.querySelector(".steps");
  while (row.children.length > data.scenes.length) row.lastChild.remove();
  while (row.children.length < data.scenes.length) row.append(document.createElement("span"));
  data.scenes.forEach((title, place) => {
    put(row.children[place], title);
    row.children[place].toggleAttribute("aria-current", place === data.place);
  });
  put(root.querySelector(".scene"), data.scenes[data.place] ?? "");
  put(root.querySelector(".subject"), data.subject);
}

/* a wall is dark whatever the computer prefers: Streamlit reads its theme from the address */
function darken(data) {
  const address = new URL(location.href);
  if (data.dark || address.searchParams.getAll("embed_options").includes("dark_theme")) return;
  address.searchParams.append("embed_options", "dark_theme");
  location.replace(address);
}

function begin(root) {
  const stage = { root, knocked: -Infinity, knocking: false };
  stage.press = (event) => pressed(stage, event);
  stage.resize = () => scale(stage);
  window.addEventListener("keydown", stage.press);
  window.addEventListener("resize", stage.resize);
  stage.timer = setInterval(() => tick(stage), 500);
  stages.set(root, stage);
  return stage;
}

export default function (component) {
  const { data, parentElement: root } = component;
  const stage = stages.get(root) ?? begin(root);
  Object.assign(stage, { component, data, heard: performance.now(), offset: data.now - Date.now() });
  scale(stage);
  root.querySelector("header").hidden = !data.wall;
  if (data.wall) {
    darken(data);
    steps(stage);
    tick(stage);
  }
  return () => {
    clearInterval(stage.timer);
    window.removeEventListener("keydown", stage.press);
    window.removeEventListener("resize", stage.resize);
    stages.delete(root);
  };
}
