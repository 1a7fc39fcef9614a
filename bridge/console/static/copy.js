"use strict";
document.getElementById("copy").addEventListener("click", async ({currentTarget: button}) => {
  const text = document.getElementById("support");
  text.select();
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(text.value);
  } else {
    document.execCommand("copy"); // without TLS there is no clipboard
  }
  button.textContent = button.dataset.done;
});
