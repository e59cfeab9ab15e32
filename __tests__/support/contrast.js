/**
 * Runs in the page: every visible text whose contrast with what is behind it is below WCAG's AA. Evaluates to a list of
 * sentences; an empty one is good.
 */
(() => {
  const parse = (color) => {
    const [red, green, blue, alpha = 1] = color.match(/[\d.]+/g).map(Number);
    return { red, green, blue, alpha };
  };
  const channel = (value) => (value <= 0.03928 * 255 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4);
  const luminance = ({ red, green, blue }) => 0.2126 * channel(red) + 0.7152 * channel(green) + 0.0722 * channel(blue);
  const backgroundOf = (element) => {
    for (let current = element; current; current = current.parentElement) {
      const color = parse(window.getComputedStyle(current).backgroundColor);
      if (color.alpha === 1) return color;
    }
    return parse("rgb(255, 255, 255)");
  };
  const hasText = (element) =>
    [...element.childNodes].some((node) => node.nodeType === window.Node.TEXT_NODE && node.textContent.trim() !== "");

  return [...document.body.querySelectorAll("*")]
    .filter(
      (element) =>
        hasText(element) &&
        !element.closest(".visually-hidden") &&
        element.checkVisibility({ visibilityProperty: true }),
    )
    .flatMap((element) => {
      const style = window.getComputedStyle(element);
      const [light, dark] = [luminance(parse(style.color)), luminance(backgroundOf(element))].sort((a, b) => b - a);
      const ratio = (light + 0.05) / (dark + 0.05);
      const size = parseFloat(style.fontSize);
      const needed = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700) ? 3 : 4.5;
      return ratio >= needed ? [] : [`${element.className}: "${element.textContent.trim()}" has ${ratio.toFixed(2)}`];
    });
})();
