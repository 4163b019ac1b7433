/**
 * What the panel, its documents and its forms look like; fetched with the first of them.
 *
 * Only what notebooks themselves need is there from the begin: a page that is opening has its styles
 * computed anew for each sheet that comes.
 */
import '../style/base.css';
import '../style/bars.css';
import '../style/groups.css';
import '../style/project.css';
import '../style/steptool.css';
import '../style/page.css';
import '../style/models.css';
import '../style/serving.css';
import '../style/pipeline.css';
import '../style/notebook.css';
import '../style/data.css';
import '../style/card.css';
