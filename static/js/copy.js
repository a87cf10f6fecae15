// Copy buttons: <button data-copy="text" data-copied="Copied">. The text stays visible, so nothing is lost without script.
for (const button of document.querySelectorAll("[data-copy]")) {
  const label = button.textContent;
  button.removeAttribute("hidden");
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
    } catch {
      return;
    }
    button.textContent = button.dataset.copied;
    setTimeout(() => {
      button.textContent = label;
    }, 2000);
  });
}
