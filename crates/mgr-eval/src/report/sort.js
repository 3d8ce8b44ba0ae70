(() => {
  "use strict";
  const status = document.getElementById("sort-status");
  const text = (row, index) => (row.cells[index] ? row.cells[index].textContent.trim() : "");
  const value = (cell) => {
    const found = cell.match(/^[-+±]?\s?\d+(\.\d+)?(e[-+]?\d+)?/i);
    return found ? parseFloat(found[0].replace(/[±\s]/g, "")) : NaN;
  };
  for (const table of document.querySelectorAll("table.sortable")) {
    const body = table.tBodies[0];
    const given = [...body.rows];
    const heads = [...table.tHead.rows[0].cells].filter((head) => !head.classList.contains("fixed"));
    for (const head of heads) {
      const index = head.cellIndex;
      const name = head.textContent;
      const number = head.classList.contains("number");
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = name;
      head.textContent = "";
      head.append(button);
      button.addEventListener("click", () => {
        const cycle = number ? ["descending", "ascending"] : ["ascending", "descending"];
        const next = cycle[cycle.indexOf(head.getAttribute("aria-sort")) + 1];
        for (const other of heads) other.removeAttribute("aria-sort");
        let rows = given;
        if (next) {
          head.setAttribute("aria-sort", next);
          const sign = next === "ascending" ? 1 : -1;
          const empty = (cell) => cell === "" || (number && Number.isNaN(value(cell)));
          rows = [...given].sort((a, b) => {
            const [x, y] = [text(a, index), text(b, index)];
            if (empty(x) || empty(y)) return empty(x) - empty(y);
            return sign * (number ? value(x) - value(y) : x.localeCompare(y, "en", { numeric: true }));
          });
        }
        body.append(...rows);
        status.textContent = next ? `Sorted by ${name}, ${next}` : "In the order given";
      });
    }
  }
})();
