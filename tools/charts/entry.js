// The parts of Apache ECharts that our pages draw with; anything else is left out.
import { BarChart, HeatmapChart, LineChart } from "echarts/charts";
import {
  AriaComponent,
  DataZoomComponent,
  GridComponent,
  LegendComponent,
  MarkAreaComponent,
  MarkLineComponent,
  TitleComponent,
  TooltipComponent,
  VisualMapComponent,
} from "echarts/components";
import { use } from "echarts/core";
import { CanvasRenderer, SVGRenderer } from "echarts/renderers";

export { init } from "echarts/core";

use([BarChart, HeatmapChart, LineChart]);
use([AriaComponent, DataZoomComponent, GridComponent, LegendComponent, MarkAreaComponent]);
use([MarkLineComponent, TitleComponent, TooltipComponent, VisualMapComponent]);
use([CanvasRenderer, SVGRenderer]);
