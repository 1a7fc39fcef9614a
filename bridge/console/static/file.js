"use strict";
// Says at once that a file is too large, instead of after it was sent.
document.getElementById("file").addEventListener("change", ({currentTarget: input}) => {
  const isTooLarge = [...input.files].some((file) => file.size > Number(input.dataset.largest));
  const told = document.getElementById("too-large");
  input.setCustomValidity(isTooLarge ? input.dataset.tooLarge : "");
  told.textContent = isTooLarge ? input.dataset.tooLarge : "";
  told.hidden = !isTooLarge;
});
