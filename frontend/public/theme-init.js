// Runs before the first paint, so that a dark page never flashes white.
(function () {
  var choice = "system";
  try {
    choice = JSON.parse(localStorage.getItem("crewai-runner:theme")) || "system";
  } catch {
    // Storage may be closed to us: the system's choice is a good answer.
  }
  var dark =
    choice === "dark" ||
    (choice === "system" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.classList.toggle("dark", dark);
})();
