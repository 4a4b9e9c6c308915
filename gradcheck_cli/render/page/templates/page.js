(function () {
  "use strict";
  var table = document.getElementById("problems"), bodies = Array.from(table.tBodies);
  var rows = Array.from(table.querySelectorAll("tr.problem")), files = Array.from(document.querySelectorAll("section.file"));
  var form = document.querySelector(".finer"), name = document.getElementById("by-name");
  var verdict = document.getElementById("by-verdict"), tag = document.getElementById("by-tag");
  var count = document.getElementById("count");
  form.hidden = false;
  form.addEventListener("submit", function (event) { event.preventDefault(); });

  function filter() {
    var wanted = name.value.trim().toLowerCase(), shown = 0;
    rows.forEach(function (row) {
      var fits = row.cells[0].textContent.toLowerCase().includes(wanted)
        && (!verdict.value || row.dataset.verdict === verdict.value)
        && (!tag || !tag.value || row.dataset.tags.split("\n").includes(tag.value));
      row.hidden = !fits;
      document.querySelector(row.cells[0].firstChild.getAttribute("href")).hidden = !fits;
      shown += fits;
    });
    bodies.forEach(function (body) { body.hidden = !body.querySelector("tr.problem:not([hidden])"); });
    files.forEach(function (file) { file.hidden = !file.querySelector("article:not([hidden])"); });
    count.textContent = shown === rows.length ? "" : shown + " of " + rows.length;
  }
  [name, verdict, tag].forEach(function (one) { if (one) { one.addEventListener("input", filter); } });

  function key(row, column, kind) {
    var cell = row.cells[column], text = cell.dataset.value === undefined ? cell.textContent : cell.dataset.value;
    return kind === "number" ? Number(text) : text;
  }
  var order = new Intl.Collator("en", { numeric: true }).compare;  // 1.2 before 1.10
  Array.from(table.tHead.rows[0].cells).forEach(function (head, column) {
    var button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", function () {
      var kind = head.dataset.sort, descending = head.getAttribute("aria-sort") === (kind === "number" ? "none" : "ascending")
        || (kind === "number" && !head.hasAttribute("aria-sort"));
      Array.from(table.tHead.rows[0].cells).forEach(function (one) { if (one !== head) { one.removeAttribute("aria-sort"); } });
      head.setAttribute("aria-sort", descending ? "descending" : "ascending");
      rows.sort(function (a, b) {
        var x = key(a, column, kind), y = key(b, column, kind), found = kind === "number" ? x - y : order(x, y);
        return descending ? -found : found;
      });
      rows.forEach(function (row) { row.parentNode.append(row); });  // each stays with its file
    });
  });
}());
