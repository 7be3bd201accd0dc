await customElements.whenDefined("weft-digits");
await document.querySelector("weft-digits").ready;
document.body.dataset.ready = "yes";
