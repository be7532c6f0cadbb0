(function () {
  "use strict";
  var table = document.getElementById("hips"), body = table.tBodies[0];
  document.getElementById("filter").addEventListener("input", function (event) {
    var words = event.target.value.toLowerCase().split(/\s+/);
    Array.prototype.forEach.call(body.rows, function (row) {
      var text = row.textContent.toLowerCase();
      row.hidden = !words.every(function (word) { return text.indexOf(word) >= 0; });
    });
  });
  function value(row, column) {
    var cell = row.cells[column];
    return cell.hasAttribute("data-value") ? cell.getAttribute("data-value") : cell.textContent.trim();
  }
  function compare(a, b) {
    if (a === b) { return 0; }
    if (a === "" || b === "") { return a === "" ? 1 : -1; }
    return isNaN(a) || isNaN(b) ? a.localeCompare(b) : a - b;
  }
  table.tHead.addEventListener("click", function (event) {
    var head = event.target, up = head.getAttribute("aria-sort") !== "ascending";
    if (!head.hasAttribute("data-sort")) { return; }
    Array.prototype.forEach.call(head.parentNode.cells, function (cell) { cell.removeAttribute("aria-sort"); });
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    var rows = Array.prototype.slice.call(body.rows);
    rows.sort(function (a, b) { return (up ? 1 : -1) * compare(value(a, head.cellIndex), value(b, head.cellIndex)); });
    rows.forEach(function (row) { body.appendChild(row); });
  });
}());
