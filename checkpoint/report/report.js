// Opens a figure large; the arrow keys lead to the next one, Escape back. Without this script,
// the links lead to the figures in the page. The contents show where one is. On paper, all but
// notebooks is unfolded.
"use strict";
const dialog = document.querySelector("dialog");
const links = [...document.querySelectorAll("a.large")];
let shown = 0;

function show(number) {
  shown = (number + links.length) % links.length;
  const small = links[shown].querySelector("img");
  const large = dialog.querySelector("img");
  large.src = small.src;
  large.alt = small.alt;
  dialog.querySelector("figcaption").textContent = links[shown].dataset.caption;
  if (!dialog.open) dialog.showModal();
}

links.forEach((link, number) =>
  link.addEventListener("click", (event) => {
    event.preventDefault();
    show(number);
  }),
);
dialog.addEventListener("keydown", (event) => {
  if (event.key === "ArrowRight") show(shown + 1);
  if (event.key === "ArrowLeft") show(shown - 1);
});
dialog.addEventListener("click", (event) => {
  if (event.target === dialog || event.target.closest("button.close")) dialog.close();
  if (event.target.closest("button.next")) show(shown + 1);
  if (event.target.closest("button.previous")) show(shown - 1);
});

const contents = [...document.querySelectorAll("nav a")];
const parts = contents.map((link) => document.querySelector(link.hash));

function mark() {
  // the last part that begins above a line, which goes down where the page ends
  const left = document.documentElement.scrollHeight - innerHeight - scrollY;
  const line = Math.max(innerHeight / 8, innerHeight - left);
  const above = parts.filter((part) => part.getBoundingClientRect().top < line);
  const here = contents[Math.max(0, above.length - 1)];
  if (here.ariaCurrent) return;
  contents.forEach((link) => link.removeAttribute("aria-current"));
  here.setAttribute("aria-current", "true");
  const nav = here.closest("nav");
  const middle = here.offsetTop - nav.clientHeight / 2;
  if (Math.abs(nav.scrollTop - middle) > nav.clientHeight / 3) nav.scrollTop = middle;
}
addEventListener("scroll", mark, { passive: true });
mark();

let unfolded = [];
addEventListener("beforeprint", () => {
  unfolded = [...document.querySelectorAll("details:not([open], .notebook)")].filter(
    (folded) => !folded.closest(".notebook"),
  );
  for (const folded of unfolded) folded.open = true;
});
addEventListener("afterprint", () => {
  for (const folded of unfolded) folded.open = false;
});
