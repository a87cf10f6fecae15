// The till: forms are sent in the background, so that the page, its keys and what was typed outlive a bad network.
// A form whose answer did not come can be sent again with the same key; the server does nothing twice.
const PATIENCE = 8000;
const find = (name) => document.querySelector(`[data-till-${name}]`);
const result = find("result");
const busy = find("busy");
const lost = find("lost");
const scanForm = document.querySelector('[data-till="scan"]');
const typed = scanForm?.querySelector("[name=typed]");
let waiting = null;
let isSending = false;

function freshKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function ready(form) {
  form.querySelector("[name=key]").value = freshKey();
  typed.value = "";
  typed.focus();
}

function show(html) {
  result.innerHTML = html;
}

async function send(sent) {
  isSending = true;
  waiting = sent;
  lost.hidden = true;
  busy.hidden = false;
  try {
    const answer = await fetch(sent.address, {
      method: "POST",
      body: sent.body,
      headers: { "X-Till": "result" },
      signal: AbortSignal.timeout(PATIENCE),
    });
    if (!answer.headers.has("X-Till")) {
      if (answer.redirected || answer.status === 403) {
        // The session is over or the store is not chosen: the page itself leads on.
        location.reload();
        return;
      }
      throw new Error(answer.statusText);
    }
    show(await answer.text());
    waiting = null;
    ready(scanForm);
    if (sent.form.dataset.till === "enrol" && answer.ok) {
      sent.form.reset();
      sent.form.querySelector("[name=key]").value = freshKey();
      find("enrol").open = false;
    }
    if (sent.form.dataset.till === "enrol" && !answer.ok) {
      sent.form.querySelector("[name=key]").value = freshKey();
    }
  } catch {
    lost.hidden = false;
    find("again").focus();
  } finally {
    busy.hidden = true;
    isSending = false;
  }
}

function submit(event) {
  const form = event.target.closest("[data-till]");
  if (!form) {
    return;
  }
  event.preventDefault();
  if (isSending || (form === scanForm && !typed.value.trim())) {
    return;
  }
  send({ form, address: form.action, body: new URLSearchParams(new FormData(form, event.submitter)) });
}

// A reader that is slower than the camera: look four times a second, stop at the first code.
async function scanWithCamera(detector) {
  const video = find("video");
  const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
  video.srcObject = stream;
  video.hidden = false;
  await video.play();
  const stop = () => {
    stream.getTracks().forEach((track) => track.stop());
    video.hidden = true;
  };
  const look = async () => {
    const [code] = await detector.detect(video).catch(() => []);
    if (!code) {
      setTimeout(look, 250);
      return;
    }
    stop();
    typed.value = code.rawValue;
    scanForm.requestSubmit();
  };
  look();
}

if (scanForm) {
  document.addEventListener("submit", submit);
  find("again").addEventListener("click", () => waiting && !isSending && send(waiting));
  if ("BarcodeDetector" in window && navigator.mediaDevices) {
    const button = find("camera");
    const detector = new BarcodeDetector({ formats: ["qr_code", "code_128", "ean_13"] });
    button.hidden = false;
    button.addEventListener("click", () => scanWithCamera(detector).catch(() => typed.focus()));
  }
}
