"use strict";
// A page of its own that draws from the JSON API. Everything is put in as text, never as markup.
const board = document.getElementById("board");
const filter = document.getElementById("filter");
const token = document.querySelector("meta[name=csrf-token]").content;
let rows = [];

function draw() {
  board.replaceChildren();
  for (const row of rows.filter((one) => !filter.value || one.shift === filter.value)) {
    const tile = document.createElement("article");
    tile.className = "card";
    const name = document.createElement("h2");
    name.textContent = row.name;
    const shift = document.createElement("span");
    shift.className = "tag " + row.shift;
    shift.textContent = board.dataset[row.shift] + " · " + row.hall;
    const phone = document.createElement("input");
    phone.value = row.phone;
    phone.setAttribute("aria-label", board.dataset.phone + ": " + row.name);
    phone.addEventListener("change", async () => {
      const answer = await fetch("/api/workers/" + row.id, {
        method: "PATCH",
        headers: { "content-type": "application/json", "x-csrf-token": token },
        body: JSON.stringify({ phone: phone.value }),
      });
      phone.toggleAttribute("aria-invalid", !answer.ok);
      if (answer.ok) load();
    });
    tile.append(name, shift, phone);
    board.append(tile);
  }
}

async function load() {
  rows = (await (await fetch("/api/roster")).json()).shifts;
  draw();
}
filter.addEventListener("change", draw);
load();
