// Opens a figure large; the arrow keys lead to the next one, Escape back. Without this script,
// the links lead to the figures in the page. On paper, all but notebooks is unfolded.
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
