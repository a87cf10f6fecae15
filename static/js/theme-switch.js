// The theme switch in the footer: three buttons, data-theme-choice = auto | light | dark.
const KEY = "theme";
const buttons = [...document.querySelectorAll("[data-theme-choice]")];

function stored() {
  try {
    return localStorage.getItem(KEY) ?? "auto";
  } catch {
    return "auto";
  }
}

function show(choice) {
  if (choice === "auto") {
    delete document.documentElement.dataset.theme;
  } else {
    document.documentElement.dataset.theme = choice;
  }
  for (const button of buttons) {
    button.setAttribute("aria-pressed", String(button.dataset.themeChoice === choice));
  }
}

function choose(choice) {
  try {
    localStorage.setItem(KEY, choice);
  } catch {
    // The choice then holds for this page only.
  }
  show(choice);
}

for (const button of buttons) {
  button.addEventListener("click", () => choose(button.dataset.themeChoice));
  button.closest("[data-needs-script]")?.removeAttribute("hidden");
}
show(stored());
