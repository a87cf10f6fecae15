// Sets the chosen colour theme before the first paint, so that no page flashes. Loaded as a small blocking file in <head>.
// The key is the one Django's admin uses: one choice counts for the portal and the admin.
"use strict";
try {
  const chosen = localStorage.getItem("theme");
  if (chosen === "light" || chosen === "dark") {
    document.documentElement.dataset.theme = chosen;
  }
} catch {
  // Storage may be blocked: the system's theme is used.
}
